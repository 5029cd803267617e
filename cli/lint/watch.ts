/** `--watch`: lints again whenever one of the files changes, until it is stopped. */

import { statSync, watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

/** Milliseconds without a further change before a run: editors write a file in several steps. */
const PAUSE = 120

/** What is watched: `texts` tells what is in the files now, so that what changes nothing (our own output, say) starts nothing. */
export interface Watched {
  readonly paths: readonly string[]
  readonly directory: string
  readonly texts: () => string
}

/** Calls `run` now and after every change of the files. Never returns by itself. */
export async function watchFiles({ paths, directory, texts }: Watched, run: () => Promise<void>): Promise<never> {
  let before = texts()
  await run()
  let pending: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  const again = async (): Promise<void> => {
    const now = texts()
    if (now === before) return
    before = now
    await run()
  }
  const changed = (): void => {
    clearTimeout(pending)
    pending = setTimeout(() => void (running = running.then(again)), PAUSE)
  }
  for (const path of paths) if (path !== '-') watchOne(resolve(directory, path), changed)
  return new Promise<never>(() => undefined)
}

/** A file is watched by its folder: editors put a new file in its place. */
function watchOne(full: string, changed: () => void): void {
  if (statSync(full, { throwIfNoEntry: false })?.isDirectory()) watch(full, { recursive: true }, changed)
  else watch(dirname(full), (_event, name) => (name === null || name === basename(full) ? changed() : undefined))
}
