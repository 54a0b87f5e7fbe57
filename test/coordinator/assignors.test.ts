/**
 * The server-side assignors: Kafka's own answers (golden/Assign.java), the examples with ten partitions and three members, and
 * what holds for any group.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Uuid } from '../../src/base/uuid.ts';
import type {
  AssignedGroup,
  AssignedMember,
  Assignor,
  GroupAssignment,
  MemberAssignment,
} from '../../src/coordinator/group/assignors/assignor.ts';
import { RANGE } from '../../src/coordinator/group/assignors/range.ts';
import { UNIFORM } from '../../src/coordinator/group/assignors/uniform.ts';

/** Topics are known by their number. */
type Numbered = Record<string, readonly number[]>;

interface Golden {
  readonly assignor: 'range' | 'uniform';
  readonly partitions: readonly number[];
  readonly members: readonly {
    readonly id: string;
    readonly instanceId: string | null;
    readonly topics: readonly number[];
    readonly owned: Numbered;
  }[];
  readonly assigned: Record<string, Numbered>;
}

const goldens = readFileSync(new URL('golden/assignments.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Golden);

const topicId = (topic: number): Uuid => String.fromCharCode(topic + 1).repeat(16);
const topicOf = (id: Uuid): number => id.charCodeAt(0) - 1;

function groupOf(partitions: readonly number[], members: readonly AssignedMember[]): AssignedGroup {
  return { members, partitionsOf: (id) => partitions[topicOf(id)] ?? 0 };
}

function fromNumbers(owned: Numbered): MemberAssignment {
  return new Map(Object.entries(owned).map(([topic, partitions]) => [topicId(Number(topic)), partitions]));
}

function toNumbers(assignment: MemberAssignment): Numbered {
  return Object.fromEntries(Array.from(assignment, ([id, partitions]) => [topicOf(id), partitions]));
}

function goldenGroup({ partitions, members }: Golden): AssignedGroup {
  return groupOf(
    partitions,
    members.map(({ id, instanceId, topics, owned }) => ({
      memberId: id,
      instanceId,
      topicIds: new Set(topics.map(topicId)),
      assigned: fromNumbers(owned),
    })),
  );
}

function member(memberId: string, topics: readonly number[], assigned: MemberAssignment = new Map()): AssignedMember {
  return { memberId, instanceId: null, topicIds: new Set(topics.map(topicId)), assigned };
}

function loadOf(assignment: MemberAssignment | undefined): number {
  return Array.from(assignment?.values() ?? []).reduce((sum, partitions) => sum + partitions.length, 0);
}

const loads = (assignment: GroupAssignment) => Array.from(assignment.values(), loadOf).sort((a, b) => a - b);

/** Smaller is better: loads that differ less have smaller squares. */
const unevenness = (assignment: GroupAssignment) => loads(assignment).reduce((sum, load) => sum + load * load, 0);

/** How many partitions stay with the member that had them. */
function kept({ members }: AssignedGroup, assignment: GroupAssignment): number {
  let count = 0;
  for (const { memberId, assigned } of members) {
    for (const [id, partitions] of assigned) {
      const now = new Set(assignment.get(memberId)?.get(id));
      count += partitions.filter((partition) => now.has(partition)).length;
    }
  }
  return count;
}

function isAlike({ members }: AssignedGroup): boolean {
  const first = JSON.stringify([...(members[0]?.topicIds ?? [])].sort());
  return members.every(({ topicIds }) => JSON.stringify([...topicIds].sort()) === first);
}

/** Each partition of each topic that somebody subscribes to has one owner, which subscribes to it; and nothing else is owned. */
function expectWhole(group: AssignedGroup, assignment: GroupAssignment): void {
  expect([...assignment.keys()].sort()).toEqual(group.members.map(({ memberId }) => memberId).sort());
  const owned: string[] = [];
  for (const { memberId, topicIds } of group.members) {
    for (const [id, partitions] of assignment.get(memberId) ?? []) {
      expect(topicIds.has(id)).toBe(true);
      expect(partitions).toEqual(partitions.toSorted((a, b) => a - b));
      expect(partitions.length).toBeGreaterThan(0);
      owned.push(...partitions.map((partition) => `${topicOf(id)}-${partition}`));
    }
  }
  const topics = new Set(group.members.flatMap(({ topicIds }) => [...topicIds]));
  const all = [...topics].flatMap((id) =>
    Array.from({ length: group.partitionsOf(id) }, (_, partition) => `${topicOf(id)}-${partition}`),
  );
  expect(owned.sort()).toEqual(all.sort());
}

/** Who, by a chain of members that each pass on one partition, could come nearer to a member that owns two less. */
function unlevelled({ members }: AssignedGroup, assignment: GroupAssignment): string | null {
  for (const { memberId: start } of members) {
    const reached = new Set([start]);
    for (const from of reached) {
      const held = [...(assignment.get(from)?.keys() ?? [])];
      for (const { memberId, topicIds } of members) if (held.some((id) => topicIds.has(id))) reached.add(memberId);
    }
    const load = loadOf(assignment.get(start));
    for (const end of reached) if (load - loadOf(assignment.get(end)) > 1) return `${start} to ${end}`;
  }
  return null;
}

describe('Kafka and we', () => {
  test.each(goldens.filter(({ assignor }) => assignor === 'range').map((line, index) => [index, line] as const))(
    'range %i: the same assignment',
    (_, line) => {
      const assignment = RANGE.assign(goldenGroup(line));
      const ours = Object.fromEntries(Array.from(assignment, ([id, partitions]) => [id, toNumbers(partitions)]));
      expect(ours).toEqual(line.assigned);
    },
  );

  test.each(goldens.filter(({ assignor }) => assignor === 'uniform').map((line, index) => [index, line] as const))(
    'uniform %i: as level; and no more moves, unless it is more level',
    (_, line) => {
      const group = goldenGroup(line);
      const assignment = UNIFORM.assign(group);
      const theirs = new Map(Object.entries(line.assigned).map(([id, owned]) => [id, fromNumbers(owned)]));
      expectWhole(group, assignment);
      if (isAlike(group)) expect(loads(assignment)).toEqual(loads(theirs));
      else expect(unevenness(assignment)).toBeLessThanOrEqual(unevenness(theirs));
      if (unevenness(assignment) === unevenness(theirs)) {
        expect(kept(group, assignment)).toBeGreaterThanOrEqual(kept(group, theirs));
      }
    },
  );
});

describe('ten partitions, three members', () => {
  const group = (ids: readonly string[], before?: GroupAssignment) =>
    groupOf(
      [10],
      ids.map((id) => member(id, [0], before?.get(id))),
    );
  const inNumbers = (assignment: GroupAssignment) =>
    Object.fromEntries(Array.from(assignment, ([id, partitions]) => [id, partitions.get(topicId(0))]));

  test('range: 0-3, 4-6, 7-9', () => {
    expect(inNumbers(RANGE.assign(group(['c1', 'c2', 'c3'])))).toEqual({
      c1: [0, 1, 2, 3],
      c2: [4, 5, 6],
      c3: [7, 8, 9],
    });
  });

  test('uniform: when the third dies, its three partitions go to the others, and no other one moves', () => {
    const before = UNIFORM.assign(group(['c1', 'c2', 'c3']));
    expect(inNumbers(before)).toEqual({ c1: [0, 1, 2, 3], c2: [4, 5, 6], c3: [7, 8, 9] });
    expect(inNumbers(UNIFORM.assign(group(['c1', 'c2'], before)))).toEqual({
      c1: [0, 1, 2, 3, 7],
      c2: [4, 5, 6, 8, 9],
    });
  });
});

test('static members stand first, by instance, whatever their member id', () => {
  const still = (memberId: string, instanceId: string): AssignedMember => ({ ...member(memberId, [0]), instanceId });
  const assign = (first: string) =>
    RANGE.assign(groupOf([5], [member('a', [0]), still(first, 'one'), still('y', 'two'), member('b', [0])]));
  const before = assign('x');
  expect(Array.from(before, ([id, owned]) => [id, owned.get(topicId(0))])).toEqual([
    ['x', [0, 1]],
    ['y', [2]],
    ['a', [3]],
    ['b', [4]],
  ]);
  const after = assign('another');
  expect(after.get('another')).toEqual(before.get('x'));
});

test('range cuts topics of the same size and the same subscribers alike', () => {
  const members = [member('a', [0, 1, 2]), member('b', [0, 1]), member('c', [0, 1, 2])];
  const assignment = RANGE.assign(groupOf([7, 7, 7], members));
  for (const owned of assignment.values()) expect(owned.get(topicId(0))).toEqual(owned.get(topicId(1)));
});

test("a topic that does not exist is nobody's", () => {
  for (const assignor of [RANGE, UNIFORM]) {
    const assignment = assignor.assign(groupOf([2], [member('a', [0, 5]), member('b', [5])]));
    expect(Array.from(assignment, ([id, owned]) => [id, toNumbers(owned)])).toEqual([
      ['a', { 0: [0, 1] }],
      ['b', {}],
    ]);
  }
});

interface Life {
  readonly alike: boolean;
  readonly partitions: readonly number[];
  readonly changes: readonly Change[];
}

interface Change {
  readonly kind: 'join' | 'leave' | 'grow' | 'subscribe';
  readonly who: number;
  readonly topics: readonly boolean[];
  readonly still: boolean;
}

const TOPICS = 4;

const lives: fc.Arbitrary<Life> = fc.record({
  alike: fc.boolean(),
  partitions: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: TOPICS, maxLength: TOPICS }),
  changes: fc.array(
    fc.record({
      kind: fc.constantFrom('join', 'join', 'leave', 'grow', 'subscribe'),
      who: fc.nat(7),
      topics: fc.array(fc.boolean(), { minLength: TOPICS, maxLength: TOPICS }),
      still: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

/** A group through its life: every assignment begins with the one before. */
function* groupsOf(life: Life, assignor: Assignor): Generator<[AssignedGroup, GroupAssignment]> {
  const partitions = [...life.partitions];
  const members = new Map<string, AssignedMember>();
  for (const { kind, who, topics, still } of life.changes) {
    const memberId = `m${who}`;
    const chosen = Array.from(topics.keys()).filter((topic) => life.alike || topics[topic]);
    if (kind === 'join')
      members.set(memberId, { ...member(memberId, chosen), instanceId: still ? `i${9 - who}` : null });
    if (kind === 'leave') members.delete(memberId);
    if (kind === 'grow') partitions[who % TOPICS] = (partitions[who % TOPICS] as number) + 3;
    const known = members.get(memberId);
    if (kind === 'subscribe' && known) members.set(memberId, { ...known, topicIds: member('', chosen).topicIds });
    const group = groupOf([...partitions], [...members.values()]);
    const assignment = assignor.assign(group);
    yield [group, assignment];
    for (const [id, of] of members) members.set(id, { ...of, assigned: assignment.get(id) ?? new Map() });
  }
}

function everyGroup(assignor: Assignor, check: (group: AssignedGroup, assignment: GroupAssignment) => void): void {
  fc.assert(
    fc.property(lives, (life) => {
      for (const [group, assignment] of groupsOf(life, assignor)) check(group, assignment);
    }),
    { numRuns: 150 },
  );
}

describe('any group, through any changes', () => {
  test.each([RANGE, UNIFORM])('$name: each partition has one owner, and it subscribes', (assignor) => {
    everyGroup(assignor, expectWhole);
  });

  test('range: of each topic a subscriber gets one partition more than another at most', () => {
    everyGroup(RANGE, (group, assignment) => {
      for (let topic = 0; topic < TOPICS; topic++) {
        const of = group.members
          .filter(({ topicIds }) => topicIds.has(topicId(topic)))
          .map(({ memberId }) => assignment.get(memberId)?.get(topicId(topic))?.length ?? 0);
        if (of.length > 0) expect(Math.max(...of) - Math.min(...of)).toBeLessThanOrEqual(1);
      }
    });
  });

  test('uniform: loads are as level as the subscriptions allow', () => {
    everyGroup(UNIFORM, (group, assignment) => expect(unlevelled(group, assignment)).toBeNull());
  });

  test('uniform: nothing moves when nothing has changed', () => {
    everyGroup(UNIFORM, (group, assignment) => {
      const members = group.members.map((of) => ({ ...of, assigned: assignment.get(of.memberId) ?? new Map() }));
      expect(UNIFORM.assign({ ...group, members })).toEqual(assignment);
    });
  });

  test('uniform: of equal subscriptions, no more moves than the balance demands', () => {
    everyGroup(UNIFORM, (group, assignment) => {
      if (!isAlike(group) || group.members.length === 0) return;
      const topics = [...(group.members[0]?.topicIds ?? [])];
      const total = topics.reduce((sum, id) => sum + group.partitionsOf(id), 0);
      const least = Math.floor(total / group.members.length);
      const had = group.members.map(({ topicIds, assigned }) =>
        loadOf(new Map([...assigned].filter(([id]) => topicIds.has(id)))),
      );
      const most = had.reduce((sum, load) => sum + Math.min(load, least), 0);
      const larger = Math.min(total % group.members.length, had.filter((load) => load > least).length);
      expect(kept(group, assignment)).toBe(most + larger);
    });
  });

  test('the order in which members are named does not matter', () => {
    for (const assignor of [RANGE, UNIFORM]) {
      everyGroup(assignor, (group, assignment) => {
        expect(assignor.assign({ ...group, members: group.members.toReversed() })).toEqual(assignment);
      });
    }
  });
});
