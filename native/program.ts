/**
 * Entry of dist/program.js: hands the words of the command line to the CLI.
 */

import { runCli } from './cli/cli';

void runCli(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
