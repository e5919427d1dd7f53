// A QR code as one SVG path: the strict policy lets no data: image in, and nothing is asked of another host.
import qrcode from "qrcode-generator";

/** Modules of quiet around the code that readers need. */
const QUIET = 4;

/** `size`: width and height in modules, the quiet zone included; `path`: the dark modules, each one unit large. */
export interface QrDrawing {
  size: number;
  path: string;
}

/** The code of `text`, in the smallest version that holds it; error correction M (15 %). */
export function qrDrawing(text: string): QrDrawing {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = "";
  for (let row = 0; row < count; row += 1) {
    for (let from = 0; from < count; from += 1) {
      if (!code.isDark(row, from)) continue;
      let to = from;
      while (to < count && code.isDark(row, to)) to += 1;
      path += `M${from + QUIET} ${row + QUIET}h${to - from}v1h-${to - from}z`;
      from = to;
    }
  }
  return { size: count + 2 * QUIET, path };
}
