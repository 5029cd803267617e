/** Reading YAML nodes with their places, so that every mistake has a span. Nothing here knows what a text describes. */

import { isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments, parseDocument } from 'yaml'
import type { Document, Node, Scalar } from 'yaml'
import type { Diagnostic, DiagnosticCode } from '../diagnostics/diagnostic.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'

/** A node that may be missing, with what it takes to speak about it. */
export interface YamlValue {
  readonly node: Node | null
  /** Where it is, or where it should be. */
  readonly span: Span
  readonly reader: YamlReader
}

/** One entry of a mapping. */
export interface YamlEntry {
  readonly key: string
  readonly keySpan: Span
  readonly value: YamlValue
}

/** A document that is being read, and the complaints so far. */
export interface YamlReader {
  readonly source: SourceFile
  readonly document: Document
  readonly diagnostics: Diagnostic[]
  /** Reads a file that the document names, relative to it; a text says why it cannot be read. Absent: no files can be read here. */
  readonly readFile?: ((path: string) => SourceFile | string) | undefined
}

/** Returns a reader of a text; what is no YAML is among its complaints, and it has no root then. JSON is YAML too. */
export function openYaml(source: SourceFile): YamlReader {
  return readerOf(parseDocument(source.text, PARSE_OPTIONS), source, [])
}

/** Returns a reader for each document of a stream, divided by `---` lines; all share their complaints. */
export function openYamlStream(source: SourceFile): readonly YamlReader[] {
  const diagnostics: Diagnostic[] = []
  return [...parseAllDocuments(source.text, PARSE_OPTIONS)].map(document => readerOf(document, source, diagnostics))
}

const PARSE_OPTIONS = { uniqueKeys: false, prettyErrors: false } as const

function readerOf(document: Document, source: SourceFile, diagnostics: Diagnostic[]): YamlReader {
  const reader: YamlReader = { source, document, diagnostics }
  for (const error of document.errors) {
    complain(reader, 'bad-yaml', { source, start: error.pos[0], end: Math.max(error.pos[1], error.pos[0] + 1) }, firstLine(error.message))
  }
  return reader
}

/** Notes an error at a place. */
export function complain(reader: YamlReader, code: DiagnosticCode, span: Span, message: string, help?: string): void {
  reader.diagnostics.push({ code, severity: 'error', span, message, related: [], ...(help === undefined ? {} : { help }) })
}

/** Returns the document's root. */
export function rootOf(reader: YamlReader): YamlValue {
  const node = reader.document.contents
  return { node, reader, span: spanOf(reader, node) }
}

/** Tells whether there is nothing but null here. */
export function isEmpty(value: YamlValue): boolean {
  return value.node === null || (isScalar(value.node) && value.node.value === null)
}

/** Returns the entries of a mapping, those of `<<` behind its own, a key given twice once; complains where there is none. Nothing at all is an empty mapping. */
export function entriesOf(value: YamlValue, what: string): readonly YamlEntry[] {
  const { reader } = value
  const node = resolved(value)
  if (isEmpty(value)) return []
  if (!isMap(node)) {
    complain(reader, 'bad-value', value.span, `${what} must be a mapping (\`key: value\` lines)`)
    return []
  }
  const seen = new Map<string, YamlEntry>()
  const merged: YamlEntry[] = []
  for (const pair of node.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue
    const entry = entryOf(pair.key, pair.value, reader)
    const { key, keySpan } = entry
    if (key === MERGE_KEY) merged.push(...itemsOf(entry.value).flatMap(item => entriesOf(item, '`<<`')))
    else if (seen.has(key)) complain(reader, 'duplicate-key', keySpan, `\`${key}\` is there twice`)
    else seen.set(key, entry)
  }
  for (const entry of merged) if (!seen.has(entry.key)) seen.set(entry.key, entry)
  return [...seen.values()]
}

/** Returns the entry of a key, undefined where there is none; complains of nothing. */
export function entryNamed(value: YamlValue, name: string): YamlEntry | undefined {
  const node = resolved(value)
  const pair = isMap(node) ? node.items.find(item => isScalar(item.key) && textOfScalar(item.key) === name) : undefined
  return pair && isScalar(pair.key) ? entryOf(pair.key, pair.value, value.reader) : undefined
}

/** Stands for the entries of other mappings. */
const MERGE_KEY = '<<'

/** Returns the items of a list; one value that is no list counts as a list of one. */
export function itemsOf(value: YamlValue): readonly YamlValue[] {
  const node = resolved(value)
  if (isEmpty(value)) return []
  if (!isSeq(node)) return [value]
  return node.items.map(item => ({ node: item as Node | null, reader: value.reader, span: spanOf(value.reader, item as Node | null) }))
}

/** Returns a scalar's text as it is written; complains where there is none. */
export function textOf(value: YamlValue, what: string): string | undefined {
  const node = resolved(value)
  if (isScalar(node) && node.value !== null) return textOfScalar(node)
  complain(value.reader, 'bad-value', value.span, `${what} must be a text`)
  return undefined
}

/** Returns a whole number within bounds; complains where it is none. */
export function numberOf(value: YamlValue, what: string, low: number, high: number): number | undefined {
  const text = textOf(value, what)
  if (text === undefined) return undefined
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN
  if (number >= low && number <= high) return number
  complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not a number from ${low} to ${high}`)
  return undefined
}

/** Returns true or false; complains where it is neither. */
export function flagOf(value: YamlValue, what: string): boolean | undefined {
  const text = textOf(value, what)
  if (text === undefined) return undefined
  if (/^(true|yes|on|1)$/i.test(text)) return true
  if (/^(false|no|off|0)$/i.test(text)) return false
  complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is neither true nor false`)
  return undefined
}

/** Tells whether the value is a mapping. */
export function isMapping(value: YamlValue): boolean {
  return isMap(resolved(value))
}

/** Tells whether the value is a list. */
export function isList(value: YamlValue): boolean {
  return isSeq(resolved(value))
}

/** Tells whether the value is a text of several lines. */
export function isBlock(value: YamlValue): boolean {
  const node = resolved(value)
  return isScalar(node) && typeof node.value === 'string' && node.value.includes('\n')
}

/** Returns a block of text as a source of its own, whose lines have the numbers that they have in the document. */
export function blockSource(value: YamlValue): SourceFile {
  const { source } = value.reader
  const node = resolved(value)
  const text = isScalar(node) ? String(node.value) : ''
  const before = source.text.slice(0, value.span.start).split('\n').length
  return { path: source.path, text: '\n'.repeat(before) + text }
}

function entryOf(keyNode: Scalar, valueNode: unknown, reader: YamlReader): YamlEntry {
  const keySpan = spanOf(reader, keyNode)
  const inner = (valueNode ?? null) as Node | null
  return { key: textOfScalar(keyNode), keySpan, value: { node: inner, reader, span: inner ? spanOf(reader, inner) : keySpan } }
}

function resolved(value: YamlValue): Node | null {
  const { node, reader } = value
  return isAlias(node) ? (node.resolve(reader.document) ?? null) : node
}

function spanOf(reader: YamlReader, node: Node | null): Span {
  const { source } = reader
  const range = node?.range
  if (!range) return { source, start: 0, end: Math.min(1, source.text.length) }
  return { source, start: range[0], end: Math.max(range[1], range[0] + 1) }
}

/** Addresses such as `::1` and numbers such as 0x1 keep the text they were written with. */
function textOfScalar(node: { readonly value: unknown; readonly source?: string }): string {
  return node.source ?? String(node.value)
}

function firstLine(message: string): string {
  const line = message.split('\n')[0] ?? message
  return `${line.charAt(0).toLowerCase()}${line.slice(1)}`.replace(/[.:]$/, '')
}
