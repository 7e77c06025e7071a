/**
 * What each request's arguments are: DAP's own types as data, and those of native/control/schema.ts (test/dap/argument-table.test.ts holds the table
 * against both). Only what a client that breaks the protocol is told depends on it.
 */

/** A list is written as the kind of its elements in brackets; of an object, what is named may be joined by more. */
export type Kind = 'text' | 'number' | 'flag' | 'any' | readonly [Kind] | Fields;

/** With a `?` at its end, a name may be missing. */
export interface Fields {
  readonly [name: string]: Kind;
}

const SOURCE: Fields = {
  'name?': 'text',
  'path?': 'text',
  'sourceReference?': 'number',
  'presentationHint?': 'text',
  'origin?': 'text',
  'sources?': ['any'],
  'adapterData?': 'any',
  'checksums?': [{ algorithm: 'text', checksum: 'text' }],
};
const VALUE_FORMAT: Fields = { 'hex?': 'flag' };
const FRAME_FORMAT: Fields = {
  ...VALUE_FORMAT,
  'parameters?': 'flag',
  'parameterTypes?': 'flag',
  'parameterNames?': 'flag',
  'parameterValues?': 'flag',
  'line?': 'flag',
  'module?': 'flag',
  'includeAll?': 'flag',
};
const CONDITIONS: Fields = { 'condition?': 'text', 'hitCondition?': 'text' };
const RESUME: Fields = { threadId: 'number', 'singleThread?': 'flag' };
const STEP: Fields = { ...RESUME, 'granularity?': 'text' };

export const argumentTable: Readonly<Record<string, Fields>> = {
  initialize: {
    'clientID?': 'text',
    'clientName?': 'text',
    adapterID: 'text',
    'locale?': 'text',
    'linesStartAt1?': 'flag',
    'columnsStartAt1?': 'flag',
    'pathFormat?': 'text',
    'supportsVariableType?': 'flag',
    'supportsVariablePaging?': 'flag',
    'supportsRunInTerminalRequest?': 'flag',
    'supportsMemoryReferences?': 'flag',
    'supportsProgressReporting?': 'flag',
    'supportsInvalidatedEvent?': 'flag',
    'supportsMemoryEvent?': 'flag',
    'supportsArgsCanBeInterpretedByShell?': 'flag',
    'supportsStartDebuggingRequest?': 'flag',
    'supportsANSIStyling?': 'flag',
  },
  launch: { 'noDebug?': 'flag', '__restart?': 'any' },
  attach: { '__restart?': 'any' },
  configurationDone: {},

  setBreakpoints: {
    source: SOURCE,
    'breakpoints?': [{ line: 'number', 'column?': 'number', ...CONDITIONS, 'logMessage?': 'text', 'mode?': 'text' }],
    'lines?': ['number'],
    'sourceModified?': 'flag',
  },
  setFunctionBreakpoints: { breakpoints: [{ name: 'text', ...CONDITIONS }] },
  setInstructionBreakpoints: {
    breakpoints: [{ instructionReference: 'text', 'offset?': 'number', ...CONDITIONS, 'mode?': 'text' }],
  },
  setDataBreakpoints: { breakpoints: [{ dataId: 'text', 'accessType?': 'text', ...CONDITIONS }] },
  dataBreakpointInfo: {
    'variablesReference?': 'number',
    name: 'text',
    'frameId?': 'number',
    'bytes?': 'number',
    'asAddress?': 'flag',
    'mode?': 'text',
  },
  breakpointLocations: {
    source: SOURCE,
    line: 'number',
    'column?': 'number',
    'endLine?': 'number',
    'endColumn?': 'number',
  },
  setExceptionBreakpoints: {
    filters: ['text'],
    'filterOptions?': [{ filterId: 'text', 'condition?': 'text', 'mode?': 'text' }],
    'exceptionOptions?': [{ 'path?': [{ 'negate?': 'flag', names: ['text'] }], breakMode: 'text' }],
  },
  exceptionInfo: { threadId: 'number' },

  threads: {},
  stackTrace: { threadId: 'number', 'startFrame?': 'number', 'levels?': 'number', 'format?': FRAME_FORMAT },
  scopes: { frameId: 'number' },
  variables: {
    variablesReference: 'number',
    'filter?': 'text',
    'start?': 'number',
    'count?': 'number',
    'format?': VALUE_FORMAT,
  },
  setVariable: { variablesReference: 'number', name: 'text', value: 'text', 'format?': VALUE_FORMAT },
  setExpression: { expression: 'text', value: 'text', 'frameId?': 'number', 'format?': VALUE_FORMAT },
  evaluate: {
    expression: 'text',
    'frameId?': 'number',
    'line?': 'number',
    'column?': 'number',
    'source?': SOURCE,
    'context?': 'text',
    'format?': VALUE_FORMAT,
  },
  completions: { 'frameId?': 'number', text: 'text', column: 'number', 'line?': 'number' },

  continue: RESUME,
  next: STEP,
  stepIn: { ...STEP, 'targetId?': 'number' },
  stepInTargets: { frameId: 'number' },
  stepOut: STEP,
  pause: { threadId: 'number' },
  gotoTargets: { source: SOURCE, line: 'number', 'column?': 'number' },
  goto: { threadId: 'number', targetId: 'number' },
  stepBack: STEP,
  reverseContinue: RESUME,
  restartFrame: { frameId: 'number' },
  restart: { 'arguments?': 'any' },

  readMemory: { memoryReference: 'text', 'offset?': 'number', count: 'number' },
  writeMemory: { memoryReference: 'text', 'offset?': 'number', 'allowPartial?': 'flag', data: 'text' },
  disassemble: {
    memoryReference: 'text',
    'offset?': 'number',
    'instructionOffset?': 'number',
    instructionCount: 'number',
    'resolveSymbols?': 'flag',
  },
  modules: { 'startModule?': 'number', 'moduleCount?': 'number' },
  loadedSources: {},
  source: { 'source?': SOURCE, sourceReference: 'number' },

  cancel: { 'requestId?': 'number', 'progressId?': 'text' },
  terminateThreads: { 'threadIds?': ['number'] },
  terminate: { 'restart?': 'flag' },
  disconnect: { 'restart?': 'flag', 'terminateDebuggee?': 'flag', 'suspendDebuggee?': 'flag' },

  'checkpoint/take': { 'label?': 'text', 'automatic?': 'flag' },
  'checkpoint/list': {},
  'checkpoint/restore': { id: 'number', 'saveCurrent?': 'flag' },
  'checkpoint/drop': { id: 'number' },
  'checkpoint/rename': { id: 'number', label: 'text' },
  'checkpoint/preflight': {},
  'checkpoint/compare': { id: 'number', 'with?': 'number' },
  'program/input': { text: 'text' },
};
