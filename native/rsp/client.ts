/**
 * What the two sides told each other in qSupported (pure).
 */

import type { ClientFeatures } from '../owner/ops';

/** The longest packet taken, in bytes: room for 128 KiB of memory in hex and its header. */
export const PACKET_SIZE = 0x40040;

/** Memory bytes in one `m` reply. */
export const HEX_PAYLOAD = (PACKET_SIZE - 64) / 2;

export interface Client {
  readonly multiprocess: boolean;
  readonly swbreak: boolean;
  readonly hwbreak: boolean;
  readonly forkEvents: boolean;
  readonly vforkEvents: boolean;
  readonly execEvents: boolean;
  /** Understands the stop reply `N`. */
  readonly noResumed: boolean;
  /** Understands `E.text` after every packet (gdb 16). */
  readonly errorMessages: boolean;
}

/** Before qSupported. */
export const PLAIN_CLIENT: Client = {
  multiprocess: false,
  swbreak: false,
  hwbreak: false,
  forkEvents: false,
  vforkEvents: false,
  execEvents: false,
  noResumed: false,
  errorMessages: false,
};

/**
 * Reads `multiprocess+;swbreak+;…`. Fork events need multiprocess: without it gdb cannot name the child and fails
 * ("Cannot detach breakpoints of inferior_ptid", gdb 13).
 */
export function readClient(text: string): Client {
  const offered = new Set(text.split(';'));
  const multiprocess = offered.has('multiprocess+');
  return {
    multiprocess,
    swbreak: offered.has('swbreak+'),
    hwbreak: offered.has('hwbreak+'),
    forkEvents: multiprocess && offered.has('fork-events+'),
    vforkEvents: multiprocess && offered.has('vfork-events+'),
    execEvents: offered.has('exec-events+'),
    noResumed: offered.has('no-resumed+'),
    errorMessages: offered.has('error-message+'),
  };
}

export function targetFeatures(client: Client): ClientFeatures {
  const { forkEvents, vforkEvents, execEvents, swbreak, hwbreak } = client;
  return { forkEvents, vforkEvents, execEvents, swbreak, hwbreak };
}

/** Names of packets that the server offers; each is in the packet table. */
export const OFFERED_PACKETS = [
  'QPassSignals',
  'QProgramSignals',
  'QStartNoAckMode',
  'QStartupWithShell',
  'QEnvironmentHexEncoded',
  'QEnvironmentReset',
  'QEnvironmentUnset',
  'QSetWorkingDir',
  'QDisableRandomization',
] as const;

/** `object:verb`, offered as `qXfer:object:verb+`; each is in the xfer table. */
export const OFFERED_OBJECTS = [
  'features:read',
  'auxv:read',
  'exec-file:read',
  'libraries-svr4:read',
  'siginfo:read',
  'siginfo:write',
  'threads:read',
  'osdata:read',
] as const;

/** Features that are not a packet of that name. */
const OFFERED_FEATURES = [
  'multiprocess',
  'fork-events',
  'vfork-events',
  'exec-events',
  'vContSupported',
  'swbreak',
  'hwbreak',
  'no-resumed',
  'augmented-libraries-svr4-read',
  'binary-upload',
] as const;

export function supportedReply(client: Client): string {
  return [
    `PacketSize=${PACKET_SIZE.toString(16)}`,
    ...OFFERED_PACKETS.map((name) => `${name}+`),
    ...OFFERED_OBJECTS.map((name) => `qXfer:${name}+`),
    ...OFFERED_FEATURES.map((name) => `${name}+`),
    ...(client.errorMessages ? ['error-message+'] : []),
  ].join(';');
}
