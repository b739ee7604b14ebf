// Colours and patterns of the charts, read from the design tokens: a series is known by its pattern, not its colour alone.

const SIZE = 8; // of a pattern's tile

export function readPaint() {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(`--${name}`).trim();
  const surface = token("surface");
  return {
    text: token("text"),
    muted: token("muted"),
    line: token("line"),
    axis: token("line2"),
    accent: token("accent"),
    sans: token("sans"),
    surface,
    colours: { queue: token("chart-queue"), fallback: token("chart-fallback"), direct: token("chart-direct"), failed: token("chart-failed") },
    fills: {
      queue: token("chart-queue"),
      fallback: pattern(token("chart-fallback"), surface, [[0, 2, SIZE, 2], [0, 6, SIZE, 6]]),
      direct: pattern(token("chart-direct"), surface, [[-2, 2, 2, -2], [-2, 10, 10, -2], [6, 10, 10, 6]]),
      failed: token("chart-failed"),
      missing: pattern(surface, token("unknown-tint"), [[-2, 2, 2, -2], [-2, 10, 10, -2], [6, 10, 10, 6]]),
    },
  };
}

// A tile of `colour` with lines of `gap` over it, opaque: nothing behind it shines through.
function pattern(colour, gap, lines) {
  const canvas = document.createElement("canvas");
  const ratio = devicePixelRatio;
  canvas.width = canvas.height = SIZE * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.fillStyle = colour;
  pen.fillRect(0, 0, SIZE, SIZE);
  pen.strokeStyle = gap;
  pen.lineWidth = 1.4;
  for (const [x1, y1, x2, y2] of lines) {
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
  }
  return pen.createPattern(canvas, "repeat");
}
