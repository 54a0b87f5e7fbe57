/** What can happen in a step of a life, and how often of each a hundred or so steps have. */
const WEIGHTS = {
  produce: 30,
  fetch: 12,
  list: 2,
  deleteRecords: 1,
  junk: 1,
  deliver: 34,
  turn: 40,
  block: 12,
  main: 8,
  pass: 6,
  room: 4,
  reset: 1,
  finish: 1,
  cool: 1,
  checkpoint: 3,
  stamp: 3,
  addPartition: 1,
  move: 2,
  settle: 4,
  fault: 1,
  kill: 1,
  power: 1,
  clean: 1,
} as const;
export type Action = keyof typeof WEIGHTS;
export const ACTIONS = (Object.keys(WEIGHTS) as Action[]).flatMap((action) =>
  Array<Action>(WEIGHTS[action]).fill(action),
);
