// Run in every page before its own scripts: which peer connections it makes, and what arrives on them. The page itself
// knows nothing of this. Levels are in dB of full scale.
(() => {
  const Native = window.RTCPeerConnection
  if (!Native) return
  const made = []
  const setUps = []
  const begun = new WeakMap() // of each connection: how often it began to receive
  window.RTCPeerConnection = class extends Native {
    constructor(...how) {
      super(...how)
      // what is closed is let go: it would look like the page's own memory
      for (let at = made.length - 1; at >= 0; at -= 1) if (made[at].connectionState === 'closed') made.splice(at, 1)
      made.push(this)
      const began = performance.now()
      const connected = () => {
        if (this.connectionState !== 'connected') return
        setUps.push(performance.now() - began)
        this.removeEventListener('connectionstatechange', connected)
      }
      this.addEventListener('connectionstatechange', connected)
      this.addEventListener('track', () => begun.set(this, (begun.get(this) ?? 0) + 1))
    }
  }
  const analysers = new WeakMap()
  let context
  const live = () => made.filter((one) => one.connectionState === 'connected')

  function analyser() {
    const line = live().at(-1)
    const track = line?.getReceivers().map((one) => one.track).find((one) => one?.kind === 'audio')
    if (!track) return null
    if (!analysers.has(track)) {
      context ??= new AudioContext()
      void context.resume()
      const stream = new MediaStream([track])
      // Chromium feeds a remote track into Web Audio only while some element plays it.
      const sink = new Audio()
      sink.muted = true
      sink.srcObject = stream
      void sink.play()
      const made = context.createAnalyser()
      made.fftSize = 4096
      made.smoothingTimeConstant = 0
      const source = context.createMediaStreamSource(stream)
      source.connect(made)
      const quick = context.createAnalyser()
      quick.fftSize = 128
      source.connect(quick)
      analysers.set(track, { made, quick, sink })
    }
    return analysers.get(track)
  }

  window.ears = {
    lines: () => live().length,
    /** The newest connection that is up, to be measured; null without one. */
    line: () => live().at(-1) ?? null,
    /** Of each frequency: its level now, and how far it stands above the middle of the spectrum. Null without a line. */
    levels(frequencies) {
      const one = analyser()?.made
      if (!one) return null
      const bins = new Float32Array(one.frequencyBinCount)
      one.getFloatFrequencyData(bins)
      const width = context.sampleRate / one.fftSize
      const middle = Float32Array.from(bins).sort()[bins.length >> 1]
      return frequencies.map((hz) => {
        const at = Math.round(hz / width)
        const level = Math.max(...bins.subarray(Math.max(0, at - 1), at + 2))
        return { level: Number.isFinite(level) ? level : -200, above: Number.isFinite(level) ? level - middle : 0 }
      })
    },
    /** Effective amplitude of the newest 3 ms, 0..1; null without a line. */
    loudness() {
      const one = analyser()?.quick
      if (!one) return null
      const samples = new Float32Array(one.fftSize)
      one.getFloatTimeDomainData(samples)
      return Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length)
    },
    /** Milliseconds from each connection's making to its being connected, in order. */
    setUps: () => [...setUps],
    async stats() {
      const line = live().at(-1)
      if (!line) return null
      const found = { begun: begun.get(line) }
      for (const one of (await line.getStats()).values()) {
        if (one.type === 'inbound-rtp' && one.kind === 'audio') {
          found.received = one.packetsReceived
          found.lost = one.packetsLost
          found.codec = one.codecId
        }
        if (one.type === 'outbound-rtp' && one.kind === 'audio') found.sent = one.packetsSent
        if (one.type === 'candidate-pair' && one.nominated) found.pair = [one.localCandidateId, one.remoteCandidateId]
      }
      const all = await line.getStats()
      found.addresses = (found.pair ?? []).map((id) => all.get(id)?.address)
      return found
    },
  }
})()
