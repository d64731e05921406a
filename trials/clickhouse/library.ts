/** ClickHouse 26.7 as a library of 540 MB, from the packages of chDB: where it is, and its download when it is not there. */

const FOLDER = import.meta.dirname!;

/** The package of this system, as package.json names and pins it. */
function packageName(): string {
  const system = Deno.build.os === "darwin" ? "darwin" : "linux";
  const processor = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  return `@chdb/lib-${system}-${processor}${system === "linux" ? "-gnu" : ""}`;
}

/** The path of the library; it is there once `installLibrary` has ended. */
export function libraryPath(): string {
  return `${FOLDER}/node_modules/${packageName()}/libchdb.so`;
}

/**
 * Fetches the library unless the pinned version is there.
 *
 * Throws when npm fails, or has no package for this system.
 */
async function installLibrary(): Promise<void> {
  const { optionalDependencies } = JSON.parse(
    await Deno.readTextFile(`${FOLDER}/package.json`),
  );
  const name = packageName();
  const wanted = optionalDependencies[name];
  if (await installedVersion(name) === wanted) return;
  console.error(`Fetching ${name} ${wanted}: 540 MB on disk`);
  // Without a lock file: npm writes only the package of the system it runs on.
  const { success } = await new Deno.Command("npm", {
    args: ["install", "--no-package-lock", "--no-audit", "--no-fund"],
    cwd: FOLDER,
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success || await installedVersion(name) !== wanted) {
    throw new Error(`npm did not install ${name} ${wanted} in ${FOLDER}`);
  }
}

async function installedVersion(name: string): Promise<string | null> {
  try {
    return JSON.parse(
      await Deno.readTextFile(`${FOLDER}/node_modules/${name}/package.json`),
    ).version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

if (import.meta.main) await installLibrary();
