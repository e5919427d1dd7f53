// An ear in a page, for measuring: when the first sound comes out of a track, told by the audio thread itself in quanta of
// 128 samples, so that what the page's own thread does meanwhile is not in it. Unix milliseconds.
(() => {
  const HEARING = `registerProcessor('bench-ear', class extends AudioWorkletProcessor {
    constructor() {
      super()
      this.loud = Infinity
      this.port.onmessage = (event) => { this.loud = event.data }
    }
    process([[samples]]) {
      if (!samples || this.loud === Infinity) return true
      let sum = 0
      for (const one of samples) sum += one * one
      if (Math.sqrt(sum / samples.length) <= this.loud) return true
      this.loud = Infinity
      this.port.postMessage(Date.now())
      return true
    }
  })`

  // Which of some tones is there: each the most of the newest 20 ms, looked at in every quantum.
  const FOLLOWING = `registerProcessor('bench-tones', class extends AudioWorkletProcessor {
    constructor(options) {
      super()
      this.tones = options.processorOptions.map((hz) => ({ hz, on: false, two: 2 * Math.cos((2 * Math.PI * hz) / sampleRate) }))
      this.kept = new Float32Array(sampleRate / 50)
    }
    process([[samples]]) {
      if (!samples) return true
      const { kept } = this
      kept.copyWithin(0, samples.length)
      kept.set(samples, kept.length - samples.length)
      let power = 0
      for (const one of kept) power += one * one
      for (const tone of this.tones) {
        let before = 0, last = 0
        for (const one of kept) [before, last] = [last, one + tone.two * last - before]
        const there = before * before + last * last - tone.two * before * last
        const on = power / kept.length > 1e-4 && there > 0.2 * (power * kept.length) / 2
        if (on === tone.on) continue
        tone.on = on
        this.port.postMessage({ hz: tone.hz, on, at: Date.now() })
      }
      return true
    }
  })`

  async function earOn(track) {
    const context = new AudioContext({ latencyHint: 'interactive' })
    await context.resume()
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([HEARING], { type: 'text/javascript' })))
    // Chromium feeds a remote track into Web Audio only while some element plays it.
    const sink = Object.assign(new Audio(), { muted: true, srcObject: new MediaStream([track]) })
    void sink.play()
    const node = new AudioWorkletNode(context, 'bench-ear')
    context.createMediaStreamSource(new MediaStream([track])).connect(node).connect(context.destination)
    return {
      /** Resolves with the moment at which something louder than that (effective amplitude) comes out. */
      hears: (loud) => new Promise((done) => {
        node.port.onmessage = (event) => done(event.data)
        node.port.postMessage(loud)
      }),
      context,
    }
  }

  const audioOf = (line) => line.getReceivers().map((one) => one.track).find((one) => one?.kind === 'audio')
  const now = () => performance.timeOrigin + performance.now()
  let ear

  async function received() {
    const all = [...(await window.ears.line().getStats()).values()]
    return all.find((one) => one.type === 'inbound-rtp' && one.kind === 'audio') ?? { packetsReceived: 0 }
  }

  window.benchEar = {
    /** From now on, on the newest line of the page: each coming and going of each of these tones, in `told`. */
    async follow(tones) {
      const track = audioOf(window.ears.line())
      const context = new AudioContext({ latencyHint: 'interactive' })
      await context.resume()
      await context.audioWorklet.addModule(URL.createObjectURL(new Blob([FOLLOWING], { type: 'text/javascript' })))
      const sink = Object.assign(new Audio(), { muted: true, srcObject: new MediaStream([track]) })
      void sink.play()
      const node = new AudioWorkletNode(context, 'bench-tones', { processorOptions: tones })
      const followed = window.benchEar.followed = []
      node.port.onmessage = (event) => { followed.push(event.data) }
      context.createMediaStreamSource(new MediaStream([track])).connect(node).connect(context.destination)
    },

    /** Whether the page may empty its buffer; what is done with the line else stays as it is. */
    renews(may) {
      const line = window.ears.line()
      if (may) delete line.getTransceivers
      else line.getTransceivers = () => []
    },

    /** Forget what was followed, and wait for a key or a button. */
    mark() {
      window.benchEar.followed.length = 0
      const act = window.benchEar.act = { at: null }
      const pressed = () => { act.at ??= now() }
      for (const kind of ['keydown', 'pointerdown']) document.addEventListener(kind, pressed, { once: true, capture: true })
    },

    /** On the newest line of the page. */
    open: async () => { ear = await earOn(audioOf(window.ears.line())) },

    /** From now on: the key, and the first sound. */
    listen(loud) {
      const found = { pressed: null, heard: null }
      window.benchEar.found = found
      performance.clearResourceTimings()
      const pressed = () => { found.pressed = now() }
      document.addEventListener('keydown', pressed, { once: true, capture: true })
      void ear.hears(loud).then((at) => { found.heard = at })
    },

    /** The page's moments; and of what came in since `before`: when the first packet did (the last one's arrival less 20 ms
     *  for each before it), how long the buffer aimed to hold it, what it had to make up. */
    async told(before) {
      const { found } = window.benchEar
      const asked = performance.getEntriesByType('resource').find((one) => one.name.endsWith('/accept'))
      const after = await received()
      const same = after.id === before.id && after.packetsReceived >= before.packetsReceived
      const more = (key) => (after[key] ?? 0) - (same ? before[key] ?? 0 : 0)
      return {
        ...found,
        asked: performance.timeOrigin + asked.startTime,
        answered: performance.timeOrigin + asked.responseEnd,
        packet: after.lastPacketReceivedTimestamp - 20 * (more('packetsReceived') - 1),
        target_ms: (1000 * more('jitterBufferTargetDelay')) / more('jitterBufferEmittedCount'),
        concealed_ms: more('concealedSamples') / 8,
        lost: more('packetsLost'),
      }
    },
    received,

    /** What the same ear needs to know of a tone on a line of this page to itself, on which nothing but silence was before. */
    async floor(loud, rounds) {
      const context = new AudioContext()
      const tone = context.createOscillator(), gain = context.createGain(), out = context.createMediaStreamDestination()
      gain.gain.value = 0
      tone.connect(gain).connect(out)
      tone.start()
      const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()]
      a.onicecandidate = (event) => b.addIceCandidate(event.candidate)
      b.onicecandidate = (event) => a.addIceCandidate(event.candidate)
      a.addTrack(out.stream.getAudioTracks()[0], out.stream)
      const known = RTCRtpReceiver.getCapabilities('audio').codecs
      a.getTransceivers()[0].setCodecPreferences(known.filter((one) => one.mimeType === 'audio/PCMU'))
      await a.setLocalDescription()
      await b.setRemoteDescription(a.localDescription)
      await b.setLocalDescription()
      await a.setRemoteDescription(b.localDescription)
      await new Promise((done) => {
        const look = () => b.connectionState === 'connected' ? done() : setTimeout(look, 5)
        look()
      })
      const loop = await earOn(audioOf(b))
      const took = []
      for (let round = 0; round < rounds; round += 1) {
        await new Promise((done) => setTimeout(done, 600 + 7 * round))
        const heard = loop.hears(loud), began = now()
        gain.gain.value = 0.5
        took.push((await heard) - began)
        gain.gain.value = 0
      }
      a.close(); b.close(); await context.close(); await loop.context.close()
      return took
    },
  }
})()
