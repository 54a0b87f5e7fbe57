/** What a client is told when the coordinator could not write: its log's reasons in the words of a coordinator. */
import { ERROR } from '../../wire/errors.ts';

/** Of a group's state: clients look for the coordinator anew, or give up when it is the state that does not fit. */
export function groupWriteError(error: number): number {
  switch (error) {
    case ERROR.UNKNOWN_TOPIC_OR_PARTITION:
    case ERROR.NOT_ENOUGH_REPLICAS:
    case ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ERROR.REQUEST_TIMED_OUT:
      return ERROR.COORDINATOR_NOT_AVAILABLE;
    case ERROR.NOT_LEADER_OR_FOLLOWER:
    case ERROR.KAFKA_STORAGE_ERROR:
      return ERROR.NOT_COORDINATOR;
    case ERROR.MESSAGE_TOO_LARGE:
    case ERROR.RECORD_LIST_TOO_LARGE:
    case ERROR.INVALID_FETCH_SIZE:
      return ERROR.UNKNOWN_SERVER_ERROR;
    default:
      return error;
  }
}

/** Of offsets: too large is the client's own doing. */
export function offsetWriteError(error: number): number {
  switch (error) {
    case ERROR.MESSAGE_TOO_LARGE:
    case ERROR.RECORD_LIST_TOO_LARGE:
    case ERROR.INVALID_FETCH_SIZE:
      return ERROR.INVALID_COMMIT_OFFSET_SIZE;
    default:
      return groupWriteError(error);
  }
}
