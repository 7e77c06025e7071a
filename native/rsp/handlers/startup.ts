/**
 * The handshake, and the settings for the next vRun.
 */

import { COLON } from '../cursor';
import { readClient, supportedReply, targetFeatures } from '../client';
import { FAILED, OK, type Handler } from '../context';

const ZERO = 0x30;
const ONE = 0x31;

export const answerSupported: Handler = (context, args) => {
  args.skip(COLON);
  context.client = readClient(args.text());
  context.target.setFeatures(targetFeatures(context.client));
  return supportedReply(context.client);
};

export const startNoAckMode: Handler = (context) => {
  context.stopAcknowledging();
  return OK;
};

/** A client asks this to learn how unknown v packets are answered. */
export const replyEmpty: Handler = () => '';

export const acceptAndIgnore: Handler = () => OK;

export const enterExtendedMode: Handler = (context) => {
  if (!context.extendedAllowed) return '';
  context.extended = true;
  return OK;
};

/** Only all-stop. */
export const setNonStop: Handler = (_context, args) => {
  args.expect(COLON);
  return args.take() === ZERO ? OK : FAILED;
};

function flag(set: (context: Parameters<Handler>[0], on: boolean) => void): Handler {
  return (context, args) => {
    args.expect(COLON);
    const digit = args.take();
    if (digit !== ZERO && digit !== ONE) return FAILED;
    set(context, digit === ONE);
    return OK;
  };
}

export const setStartupWithShell = flag((context, on) => {
  context.launch.startupWithShell = on;
});

export const setDisableRandomization = flag((context, on) => {
  context.launch.disableRandomization = on;
});

export const setWorkingFolder: Handler = (context, args) => {
  args.expect(COLON);
  const folder = args.hexText();
  context.launch.cwd = folder === '' ? undefined : folder;
  return OK;
};

export const resetEnvironment: Handler = (context) => {
  context.launch.resetEnvironment();
  return OK;
};

export const setEnvironmentVariable: Handler = (context, args) => {
  args.expect(COLON);
  const text = args.hexText();
  const equals = text.indexOf('=');
  if (equals <= 0) return FAILED;
  context.launch.setVariable(text.slice(0, equals), text.slice(equals + 1));
  return OK;
};

export const unsetEnvironmentVariable: Handler = (context, args) => {
  args.expect(COLON);
  const name = args.hexText();
  if (name === '') return FAILED;
  context.launch.unsetVariable(name);
  return OK;
};
