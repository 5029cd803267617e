/** `--watch`: lints again whenever one of the files changes, until it is stopped. */

import { watch } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Milliseconds without a further change before a run: editors write a file in several steps. */
const PAUSE = 120

/** Calls `run` now and after every change of a file or of what is in a directory. Never returns by itself. */
export async function watchFiles(paths: readonly string[], directory: string, run: () => Promise<void>): Promise<never> {
  await run()
  let pending: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  const again = (): void => {
    clearTimeout(pending)
    pending = setTimeout(() => void (running = running.then(run)), PAUSE)
  }
  const folders = new Set(paths.flatMap(path => (path === '-' ? [] : [resolve(directory, path), dirname(resolve(directory, path))])))
  for (const folder of folders) {
    try {
      watch(folder, { persistent: true }, again)
    } catch {
      continue
    }
  }
  return new Promise<never>(() => undefined)
}
