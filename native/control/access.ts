/**
 * Who may speak to the control server: decided at the handshake, from its headers. Pure.
 *
 * On the unix socket the file system has decided already (a 0700 directory of this user). On TCP anybody on the machine, and any page in a
 * browser, can connect: a token is needed, `Host` must not be a name that somebody else's DNS may point here, and a browser's `Origin` must
 * have been allowed.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import * as net from 'node:net';

export interface AccessRules {
  /** undefined: the unix socket. */
  readonly token: string | undefined;
  /** The name that was listened at, if it is one. */
  readonly host: string | undefined;
  /** As browsers write them: `https://example.org`. */
  readonly origins: readonly string[];
}

export interface Handshake {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** Sec-WebSocket-Protocol: browsers can set no other header. */
  readonly protocols: readonly string[];
}

export interface Denial {
  readonly status: 401 | 403;
  readonly reason: string;
}

/** Before a browser's token in Sec-WebSocket-Protocol, beside PROTOCOL. */
export const TOKEN_PROTOCOL = 'savepoint-token.';
export const PROTOCOL = 'savepoint';
/** A token that people set themselves must not be guessed. */
export const SHORTEST_TOKEN = 16;

/** undefined: welcome. */
export function denyHandshake(rules: AccessRules, handshake: Handshake): Denial | undefined {
  const { origin } = handshake;
  if (origin !== undefined && !rules.origins.includes(origin)) return { status: 403, reason: 'this Origin is not allowed' };
  if (rules.token === undefined) return undefined;
  if (!isOurHost(handshake.host, rules.host)) return { status: 403, reason: 'Host is not an address of this server' };
  const bearer = /^Bearer +(\S+)$/i.exec(handshake.authorization ?? '')?.[1];
  const offered = handshake.protocols.find((one) => one.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length);
  const given = bearer ?? offered;
  if (given === undefined) return { status: 401, reason: 'a token is needed' };
  return sameText(given, rules.token) ? undefined : { status: 401, reason: 'wrong token' };
}

/** An address written in digits, `localhost`, or the name that was listened at: names of others can be pointed at us (DNS rebinding). */
function isOurHost(header: string | undefined, listened: string | undefined): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(header ?? '')?.[1]?.toLowerCase();
  if (name === undefined || name === '') return false;
  return name === 'localhost' || name === listened?.toLowerCase() || net.isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}

/** In a time that tells nothing of either. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
