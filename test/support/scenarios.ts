/** A file of scenarios in the real workbench: one server with the packed extension for all of them, and a window for each. */

import { Workbench } from './workbench-page';
import type { Project } from './workbench-project';
import { WorkbenchServer } from './workbench-server';
import { packed, pictures } from './workbench-setup';

const LIMIT_MS = 240_000;

export interface Scenarios {
  readonly server: WorkbenchServer;
  readonly openProject: (project: Project, scenario: string) => Promise<Workbench>;
  /** `place`: what the window's address says of it. */
  readonly openWindow: (place: string, scenario: string) => Promise<Workbench>;
}

/** `env`: of the server, and so of the extension host and the adapter. */
export function scenarios(env: NodeJS.ProcessEnv = {}): Scenarios {
  jest.setTimeout(LIMIT_MS);
  const server = new WorkbenchServer();
  let open: Workbench | undefined;
  beforeAll(() => server.start({ vsix: packed(server.directory), env }));
  afterAll(() => server.close());
  afterEach(async () => {
    await open?.close();
    open = undefined;
  });

  async function openWindow(place: string, scenario: string): Promise<Workbench> {
    const page = await server.openWindow(place);
    open = new Workbench(page, { folder: pictures, scenario });
    await open.ready();
    return open;
  }
  return {
    server,
    openWindow,
    openProject: (project, scenario) => openWindow(`folder=${encodeURIComponent(project.folder)}`, scenario),
  };
}
