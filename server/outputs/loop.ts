/** Repeats the packets of a film, or leaves some out, without looking into them: by mediabunny, which writes the container anew. */
import {
  EncodedPacketSink,
  EncodedVideoPacketSource,
  FilePathSource,
  FilePathTarget,
  Input,
  MovOutputFormat,
  MP4,
  Mp4OutputFormat,
  Output,
  QTFF,
  WEBM,
  WebMOutputFormat,
} from 'mediabunny'

const containers = {
  webm: () => new WebMOutputFormat(),
  mp4: () => new Mp4OutputFormat({ fastStart: 'reserve' }),
  mov: () => new MovOutputFormat({ fastStart: 'reserve' }),
}

export type LoopedFormat = keyof typeof containers

/** Writes `frames` frames of the film `from` to `out`. No frame of it may look ahead. */
export async function loopFilm(format: LoopedFormat, from: string, out: string, frames: number): Promise<void> {
  using input = new Input({ formats: [WEBM, MP4, QTFF], source: new FilePathSource(from) })
  const track = await input.getPrimaryVideoTrack()
  const codec = track && (await track.getCodec())
  const decoderConfig = track && (await track.getDecoderConfig())
  if (!track || !codec || !decoderConfig) throw new Error(`${from} has no film in it`)
  const output = new Output({ format: containers[format](), target: new FilePathTarget(out) })
  const source = new EncodedVideoPacketSource(codec)
  const length = await track.computeDuration()
  output.addVideoTrack(source, { maximumPacketCount: frames })
  await output.start()
  try {
    let count = 0
    for (let round = 0; count < frames; round++) {
      for await (const packet of new EncodedPacketSink(track).packets()) {
        if (count++ === frames) break
        await source.add(packet.clone({ timestamp: packet.timestamp + round * length }), { decoderConfig })
      }
    }
    await output.finalize()
  } catch (error) {
    await output.cancel()
    throw error
  }
}
