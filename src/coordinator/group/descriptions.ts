/** How groups are shown: ListGroups with its filters, DescribeGroups for classic groups. */
import { ERROR } from '../../wire/errors.ts';
import { OPERATIONS_NOT_ASKED } from '../../wire/messages/metadata.ts';
import type { ClassicGroup } from './classic-group.ts';
import { type ClassicMember, NO_BYTES } from './classic-member.ts';
import type { AnyGroup, Groups } from './groups.ts';
import type { DescribedGroup, ListedGroup } from './messages.ts';

const ERROR_WHEN_UNKNOWN_SINCE = 6;

/** An empty list lets everything through; letters may be of either case. */
export interface ListFilters {
  readonly states: readonly string[];
  readonly types: readonly string[];
}

export function listGroups(groups: Groups, { states, types }: ListFilters): ListedGroup[] {
  const wantedStates = new Set(states.map((state) => state.toLowerCase()));
  const wantedTypes = new Set(types.map((type) => type.toLowerCase()));
  const isWanted = ({ stateName, kind }: AnyGroup) =>
    (wantedStates.size === 0 || wantedStates.has(stateName.toLowerCase())) &&
    (wantedTypes.size === 0 || wantedTypes.has(kind));
  return Array.from(groups.values())
    .filter(isWanted)
    .map(({ id, listedProtocolType, stateName, kind }) => ({
      groupId: id,
      protocolType: listedProtocolType,
      groupState: stateName,
      groupType: kind,
    }));
}

export function describeGroup(groups: Groups, id: string, version: number): DescribedGroup {
  const group = groups.classic(id);
  if (group === undefined) return unknown(id, version, groups.get(id) !== undefined);
  const isStable = group.state === 'Stable';
  return {
    errorCode: ERROR.NONE,
    errorMessage: null,
    groupId: id,
    groupState: group.state,
    protocolType: group.listedProtocolType,
    protocolData: isStable ? (group.protocol ?? '') : '',
    members: Array.from(group.roster.members(), (member) => describeMember(group, member, isStable)),
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}

function describeMember({ protocol }: ClassicGroup, member: ClassicMember, isStable: boolean) {
  return {
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: isStable ? member.metadataOf(protocol) : NO_BYTES,
    memberAssignment: member.assignment,
  };
}

function unknown(groupId: string, version: number, isOfOtherKind: boolean): DescribedGroup {
  const saysSo = version >= ERROR_WHEN_UNKNOWN_SINCE;
  const reason = isOfOtherKind ? `Group ${groupId} is not a classic group.` : `Group ${groupId} not found.`;
  return {
    errorCode: saysSo ? ERROR.GROUP_ID_NOT_FOUND : ERROR.NONE,
    errorMessage: saysSo ? reason : null,
    groupId,
    groupState: 'Dead',
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
