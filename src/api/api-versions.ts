/** ApiVersions: what is served. The first thing a client asks; a version we do not know is answered so that it can ask again. */
import { type Announcement, apiVersionsResponse, isSoftwareName } from '../wire/api-versions.ts';
import { ERROR } from '../wire/errors.ts';
import type { ApiVersions } from '../wire/messages/api-versions.ts';
import type { RequestOf } from '../wire/schema.ts';
import type { ApiCall } from './floor.ts';

const SOFTWARE_NAMED_SINCE = 3;

/** The request is null when its version is not served. */
export function apiVersions(
  call: ApiCall,
  request: RequestOf<typeof ApiVersions> | null,
  announcement: Announcement,
): void {
  if (request !== null && call.version >= SOFTWARE_NAMED_SINCE) {
    const { clientSoftwareName, clientSoftwareVersion } = request;
    if (!isSoftwareName(clientSoftwareName) || !isSoftwareName(clientSoftwareVersion)) {
      call.answer(apiVersionsResponse([], ERROR.INVALID_REQUEST));
      return;
    }
  }
  const { version, response } = announcement.answer(call.version);
  call.version = version;
  call.answer(response);
}
