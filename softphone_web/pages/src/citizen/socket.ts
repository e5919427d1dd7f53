/** JsSIP's socket over `/api/v1/webphone/socket`, with the one-time ticket as a second subprotocol: it never stands in an address. */

export class TicketSocket {
  readonly via_transport: string;
  readonly sip_uri: string;
  onconnect: () => void = () => undefined;
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => undefined;
  ondata: (data: string) => void = () => undefined;
  private socket: WebSocket | null = null;

  constructor(
    readonly url: string,
    private readonly ticket: string,
  ) {
    const { protocol, host } = new URL(url);
    this.via_transport = protocol === "wss:" ? "WSS" : "WS";
    this.sip_uri = `sip:${host};transport=ws`;
  }

  connect(): void {
    if (this.socket) return;
    const socket = new WebSocket(this.url, ["sip", `ticket.${this.ticket}`]);
    socket.onopen = () => this.onconnect();
    socket.onmessage = (message: MessageEvent<string>) => this.ondata(message.data);
    socket.onclose = (event) => {
      this.socket = null;
      this.ondisconnect(!event.wasClean, event.code, event.reason);
    };
    this.socket = socket;
  }

  disconnect(): void {
    this.socket?.close(1000);
  }

  send(message: string): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(message);
    return true;
  }

  isConnected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  isConnecting(): boolean {
    return this.socket?.readyState === WebSocket.CONNECTING;
  }
}
