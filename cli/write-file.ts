/** Writing to the disk, with one clear line for everything that can be in the way. */

import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { commandError, isCommandError } from './command.ts'

/** Writes a file; the path is as seen from the directory. What is in the way is a `commandError`. */
export function writeText(path: string, text: string, directory: string): void {
  refuseUnnamed(path)
  // What the slash at the end says of the file would be lost on the way, and another one written over.
  if (path.endsWith('/')) throw commandError(`\`${path}\` cannot be written: a name with \`/\` at its end is that of a directory`)
  const full = resolve(directory, path)
  attempt(path, directory, () => writeFileSync(full, text))
}

/** Writes files into a folder, which is made where it is not there. */
export function writeFolder(folder: string, files: readonly { readonly name: string; readonly text: string }[], directory: string): void {
  refuseUnnamed(folder)
  attempt(folder, directory, () => makeFolder(resolve(directory, folder)))
  for (const { name, text } of files) writeText(`${folder.replace(/\/+$/, '')}/${name}`, text, directory)
}

/** An empty name is that of the working directory: likely a variable that was not set. */
function refuseUnnamed(path: string): void {
  if (path === '') throw commandError('the name of what is to be written is empty', 'a variable that is not set makes an empty name')
}

/** Makes a folder and those that it lies in. Node's own way never ends in a place such as /proc, where nothing can be made. */
function makeFolder(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return
  const parent = dirname(path)
  if (!existsSync(parent)) makeFolder(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    const isNoPlace = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw isNoPlace ? commandError(`\`${path}\` cannot be made: ${parent} takes no directories`) : error
  }
}

/** Returns why something could not be written, such as `the disk is full`. */
export function whyNotWritten(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (code === '' ? String(error) : code)
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'there is a file of that name',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is mounted read-only',
  EISDIR: 'it is a directory',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the device reports an error',
}

function attempt(path: string, directory: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    if (isCommandError(error)) throw error
    const parent = dirname(path)
    const why = whyNotWritten(error)
    if (why !== REASONS['ENOENT']) throw commandError(`\`${path}\` cannot be written: ${why}`)
    // Such as /proc, where nothing can be made.
    if (existsSync(resolve(directory, parent))) throw commandError(`\`${path}\` cannot be written: ${parent} takes no files`)
    throw commandError(`\`${path}\` cannot be written: ${why}`, `make it: mkdir -p ${parent}`)
  }
}
