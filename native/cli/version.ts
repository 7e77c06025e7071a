/** The version that --version, `monitor savepoint-version` and package.json show; a unit test keeps them equal. */
export const VERSION = '0.1.0';
