/**
 * How long to wait before the next try, in milliseconds: doubling from one second up to half a minute, each
 * with "full jitter", so that a thousand pages do not come back at the same moment after a restart.
 *
 * @param attempt counts failed tries from 0
 * @param random  from [0, 1)
 */
export function backoff(attempt: number, random: () => number): number {
  const ceiling = Math.min(30_000, 1_000 * 2 ** Math.min(attempt, 10));
  return Math.round(250 + random() * (ceiling - 250));
}
