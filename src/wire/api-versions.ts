/**
 * What the broker says of itself in ApiVersions: what has a table, in the versions that its table announces.
 */
import { ERROR } from './errors.ts';
import { ApiVersions } from './messages/api-versions.ts';
import { type Api, isServed, type ResponseOf } from './schema.ts';

export interface ApiVersionsAnswer {
  /** The version in which the answer is written. */
  readonly version: number;
  readonly response: ResponseOf<typeof ApiVersions>;
}

/** What is served, made once: every connection asks for it. */
export class Announcement {
  readonly #all: ResponseOf<typeof ApiVersions>;
  readonly #unsupported: ResponseOf<typeof ApiVersions>;

  constructor(apis: readonly Api[]) {
    this.#all = apiVersionsResponse(apis, ERROR.NONE);
    this.#unsupported = apiVersionsResponse(apis, ERROR.UNSUPPORTED_VERSION);
  }

  /** A version that is not served is answered in version 0, which every client reads, with the list to choose from. */
  answer(version: number): ApiVersionsAnswer {
    if (isServed(ApiVersions, version)) return { version, response: this.#all };
    return { version: 0, response: this.#unsupported };
  }
}

export function apiVersionsResponse(apis: readonly Api[], errorCode: number): ResponseOf<typeof ApiVersions> {
  return {
    errorCode,
    apiKeys: apis.map((api) => ({
      apiKey: api.key,
      minVersion: api.announcedFrom ?? api.versions[0],
      maxVersion: api.versions[1],
    })),
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1,
    finalizedFeatures: [],
    zkMigrationReady: false,
  };
}

/** The rule for the name and version of client software; what breaks it is answered with INVALID_REQUEST. */
export function isSoftwareName(text: string): boolean {
  return /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/.test(text);
}
