/** The policies that an editor has open, studied with what they include; an included file that is open counts as it is in the editor. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Location, Range, TextDocuments } from 'vscode-languageserver/node.js'
import type { TextDocument } from 'vscode-languageserver-textdocument'
import type { SourceFile, Span } from '../../src/diagnostics/source-file.ts'
import { positionAt } from '../../src/diagnostics/source-file.ts'
import { studyPolicy } from '../../src/policy/study.ts'
import type { StudiedPolicy } from '../../src/policy/study.ts'

/** Returns the path of a document; what is no file is called by its URI. */
export function pathOf(uri: string): string {
  return uri.startsWith('file:') ? fileURLToPath(uri) : uri
}

/** Returns the URI of a path. */
export function uriOf(path: string): string {
  return path.startsWith('/') || /^[A-Za-z]:\\/.test(path) ? pathToFileURL(path).href : path
}

/** Returns the open policies that no other open one includes, each studied. */
export function studyAll(documents: TextDocuments<TextDocument>): readonly StudiedPolicy[] {
  const open = new Map(documents.all().map(document => [pathOf(document.uri), document.getText()]))
  const studied = [...open].map(([path, text]) => ({ path, study: studyPolicy({ path, text }, (name, from) => readInclude(name, from, open)) }))
  return studied.filter(({ path }) => !studied.some(other => other.path !== path && includes(other.study, path) && !includesFirst(studied, path, other.path))).map(({ study }) => study)
}

/** Of files that include each other the first one that is open counts. */
function includesFirst(studied: readonly { readonly path: string; readonly study: StudiedPolicy }[], path: string, other: string): boolean {
  const place = (name: string): number => studied.findIndex(one => one.path === name)
  const own = studied[place(path)]
  return own !== undefined && includes(own.study, other) && place(path) < place(other)
}

function includes({ files }: StudiedPolicy, path: string): boolean {
  return files.some(({ source }) => source.path === path)
}

function readInclude(name: string, from: SourceFile, open: ReadonlyMap<string, string>): SourceFile | { readonly problem: string } {
  const path = join(dirname(from.path), name)
  const text = open.get(path)
  if (text !== undefined) return { path, text }
  try {
    return { path, text: readFileSync(path, 'utf8') }
  } catch {
    return { problem: `\`${name}\` cannot be read` }
  }
}

/** Returns a place as the protocol has it: lines and characters from 0. */
export function rangeOf({ source, start, end }: Span): Range {
  const [first, last] = [positionAt(source, start), positionAt(source, end)]
  return { start: { line: first.line - 1, character: first.column - 1 }, end: { line: last.line - 1, character: last.column - 1 } }
}

/** Returns a place with its file. */
export function locationOf(span: Span): Location {
  return { uri: uriOf(span.source.path), range: rangeOf(span) }
}
