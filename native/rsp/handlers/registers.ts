/**
 * Registers of the general thread. gdb's numbers are target.xml's order.
 */

import { GONE } from '../../base/brands';
import { EQUALS } from '../cursor';
import { FAILED, OK, WRITTEN, generalThread, type Handler } from '../context';

export const readAll: Handler = (context) => {
  const block = context.target.readRegisters(generalThread(context));
  if (block === GONE) return FAILED;
  context.out.hexBytes(block);
  return WRITTEN;
};

export const writeAll: Handler = (context, args) =>
  context.target.writeRegisters(generalThread(context), args.hexBytes()) === true ? OK : FAILED;

export const readOne: Handler = (context, args) => {
  const value = context.target.readRegister(generalThread(context), args.number());
  if (value === GONE || value === undefined) return FAILED;
  context.out.hexBytes(value);
  return WRITTEN;
};

export const writeOne: Handler = (context, args) => {
  const regno = args.number();
  args.expect(EQUALS);
  return context.target.writeRegister(generalThread(context), regno, args.hexBytes()) === true ? OK : FAILED;
};
