/** From figures to places on a picture: linear from zero, or logarithmic where the figures lie decades apart; ticks at round numbers. */
export interface Scale {
  /** 0 at the low end, 1 at the high end. */
  place(value: number): number;
  readonly ticks: readonly number[];
}

/** Beyond this ratio a linear axis would hide the small ones. */
const LINEAR_RATIO_MAX = 30;
const TICKS_LINEAR = 4;
const TICKS_LOG_MAX = 6;

function roundAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 2.5, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) as number;
  return factor * power;
}

function linear(largest: number): Scale {
  const step = roundAbove(largest / TICKS_LINEAR);
  const high = step * Math.ceil(largest / step - 1e-9);
  const count = Math.round(high / step);
  return {
    place: (value) => Math.max(0, value / high),
    ticks: Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(6))),
  };
}

function logarithmic(smallest: number, largest: number): Scale {
  const low = Math.floor(Math.log10(smallest) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(largest) - 1e-9));
  const every = Math.ceil((high - low) / TICKS_LOG_MAX);
  const ticks = [];
  for (let power = low; power <= high; power += every) ticks.push(Number((10 ** power).toPrecision(1)));
  return {
    place: (value) => (value <= 0 ? 0 : Math.max(0, Math.log10(value) - low) / (high - low)),
    ticks,
  };
}

/** For all of these; values of zero lie at the low end. */
export function scaleOf(values: readonly number[]): Scale {
  const above = values.filter((value) => value > 0 && Number.isFinite(value));
  if (above.length === 0) return linear(1);
  const [smallest, largest] = [Math.min(...above), Math.max(...above)];
  return largest / smallest > LINEAR_RATIO_MAX ? logarithmic(smallest, largest) : linear(largest);
}

export function isLogarithmic({ ticks }: Scale): boolean {
  return (ticks[0] ?? 0) > 0;
}
