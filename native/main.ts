/**
 * Entry of dist/savepoint.js, what every command line and every process of ours starts with: loads the program from beside it, with the
 * code that earlier processes have compiled.
 */

import * as path from 'node:path';
import { requireCached } from './base/code-cache';

requireCached(path.join(__dirname, 'program.js'));
