/** What the APIs of the controller ask of the main thread. */
import type { CallName, RequestOf, ResponseOf } from '../cluster/requests.ts';

export interface ControllerDesk {
  readonly nodeId: number;
  /** Decided, durable, known to every thread, and led where leaders are needed: then the answer comes. */
  ask<K extends CallName>(name: K, request: RequestOf<K>): Promise<ResponseOf<K>>;
  /** What a topic's settings are in effect, for answers that show them. */
  effectiveConfigs(topic: string): readonly EffectiveConfig[];
  /** A producer id that was never given before. */
  nextProducerId(): Promise<number>;
}

export interface EffectiveConfig {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  /** Kafka's number for where the value comes from. */
  readonly configSource: number;
  readonly isSensitive: boolean;
}
