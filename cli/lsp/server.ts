/** The language server of policies: the protocol's requests, each answered by a pure function of src/policy. */

import { CompletionItemKind, createConnection, DiagnosticSeverity, ErrorCodes, ResponseError, StreamMessageReader, StreamMessageWriter, TextDocuments, TextDocumentSyncKind } from 'vscode-languageserver/node.js'
import type { CompletionItem, Connection, Diagnostic as ProtocolDiagnostic, Hover, Location, TextDocumentPositionParams, TextEdit, WorkspaceEdit } from 'vscode-languageserver/node.js'
import { TextDocument } from 'vscode-languageserver-textdocument'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import { completionsAt } from '../../src/policy/complete.ts'
import { formatPolicy } from '../../src/policy/format-policy.ts'
import { definitionOf, meaningAt, nameAt, renameProblem, usesOf } from '../../src/policy/study.ts'
import type { StudiedPolicy } from '../../src/policy/study.ts'
import { locationOf, pathOf, rangeOf, studyAll, uriOf } from './documents.ts'

/** Serves until the editor says `exit` or closes the stream; the promise ends with the stream. */
export function serve(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<void> {
  const connection = createConnection(new StreamMessageReader(input), new StreamMessageWriter(output))
  const documents = new TextDocuments(TextDocument)
  const shown = new Set<string>()
  let studied: readonly StudiedPolicy[] = []
  connection.onInitialize(() => ({
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental, hoverProvider: true, definitionProvider: true, referencesProvider: true, renameProvider: { prepareProvider: true },
      documentFormattingProvider: true, completionProvider: { triggerCharacters: [' ', ','] },
    },
    serverInfo: { name: '5x5' },
  }))
  const study = (): void => {
    studied = studyAll(documents)
    publish(connection, studied, shown)
  }
  documents.onDidChangeContent(study)
  documents.onDidClose(study)
  answer(connection, documents, () => studied)
  documents.listen(connection)
  connection.listen()
  return new Promise(resolve => input.on('end', resolve))
}

/** A place as a request names it, with the policy that it belongs to. */
interface Asked {
  readonly study: StudiedPolicy
  readonly document: TextDocument
  readonly path: string
  readonly offset: number
}

function answer(connection: Connection, documents: TextDocuments<TextDocument>, studied: () => readonly StudiedPolicy[]): void {
  const asked = ({ textDocument, position }: TextDocumentPositionParams): Asked | undefined => {
    const document = documents.get(textDocument.uri)
    const path = pathOf(textDocument.uri)
    const study = studied().find(({ files }) => files.some(({ source }) => source.path === path))
    return document && study ? { study, document, path, offset: document.offsetAt(position) } : undefined
  }
  connection.onHover(params => hover(asked(params)))
  connection.onDefinition(params => define(asked(params)))
  connection.onReferences(params => references(asked(params)))
  connection.onPrepareRename(params => {
    const place = asked(params)
    const name = place && nameAt(place.study, place.path, place.offset)
    return place && name && definitionOf(place.study, name.name) ? rangeOf(name.span) : null
  })
  connection.onRenameRequest(params => rename(asked(params), params.newName))
  connection.onCompletion(params => complete(asked(params)))
  connection.onDocumentFormatting(async ({ textDocument }) => format(documents.get(textDocument.uri)))
}

function publish(connection: Connection, studied: readonly StudiedPolicy[], shown: Set<string>): void {
  const found = new Map<string, ProtocolDiagnostic[]>([...shown].map(uri => [uri, []]))
  for (const { files, diagnostics } of studied) {
    for (const { source } of files) if (!found.has(uriOf(source.path))) found.set(uriOf(source.path), [])
    for (const diagnostic of diagnostics) found.get(uriOf(diagnostic.span.source.path))?.push(protocolDiagnostic(diagnostic))
  }
  for (const [uri, diagnostics] of found) {
    shown.add(uri)
    void connection.sendDiagnostics({ uri, diagnostics })
  }
}

function protocolDiagnostic({ severity, code, message, help, span, related }: Diagnostic): ProtocolDiagnostic {
  return {
    range: rangeOf(span), severity: SEVERITIES[severity], code, source: '5x5', message: help === undefined ? message : `${message}\n${help}`,
    relatedInformation: related.map(place => ({ location: locationOf(place.span), message: place.message })),
  }
}

const SEVERITIES = { error: DiagnosticSeverity.Error, warning: DiagnosticSeverity.Warning, note: DiagnosticSeverity.Information } as const

function hover(asked: Asked | undefined): Hover | null {
  const meaning = asked && meaningAt(asked.study, asked.path, asked.offset)
  return meaning ? { contents: { kind: 'markdown', value: meaning.text }, range: rangeOf(meaning.span) } : null
}

function define(asked: Asked | undefined): Location | null {
  const name = asked && nameAt(asked.study, asked.path, asked.offset)
  const span = name && definitionOf(asked.study, name.name)
  return span ? locationOf(span) : null
}

function references(asked: Asked | undefined): Location[] {
  const name = asked && nameAt(asked.study, asked.path, asked.offset)
  return name ? usesOf(asked.study, name.name).map(({ span }) => locationOf(span)) : []
}

function rename(asked: Asked | undefined, newName: string): WorkspaceEdit | ResponseError {
  const name = asked && nameAt(asked.study, asked.path, asked.offset)
  const uses = name ? usesOf(asked.study, name.name) : []
  if (!asked || uses.length === 0) return refusal('no name of the policy stands here')
  const problem = renameProblem(asked.study, name?.name ?? '', newName)
  if (problem !== undefined) return refusal(problem)
  const changes: Record<string, TextEdit[]> = {}
  for (const { span } of uses) (changes[uriOf(span.source.path)] ??= []).push({ range: rangeOf(span), newText: newName })
  return { changes }
}

function refusal(message: string): ResponseError {
  return new ResponseError(ErrorCodes.InvalidParams, message)
}

function complete(asked: Asked | undefined): CompletionItem[] {
  if (!asked) return []
  return completionsAt(asked.study, asked.document.getText(), asked.offset).map(({ word, kind }) => ({ label: word, kind: KINDS[kind], detail: kind }))
}

const KINDS = { zone: CompletionItemKind.Module, list: CompletionItemKind.Variable, service: CompletionItemKind.Value, keyword: CompletionItemKind.Keyword } as const

/** A text with errors stays as it is: its diagnostics are shown anyway. */
async function format(document: TextDocument | undefined): Promise<TextEdit[]> {
  if (!document) return []
  const before = document.getText()
  const { text } = await formatPolicy({ path: pathOf(document.uri), text: before })
  return text === undefined || text === before ? [] : [{ range: { start: document.positionAt(0), end: document.positionAt(before.length) }, newText: text }]
}
