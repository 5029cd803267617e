/** Diagnostics as JSON values of a stable shape; lines and columns are 1-based, `end` stands behind the last character. */

import type { Diagnostic, RelatedPlace } from '../diagnostics/diagnostic.ts'
import { positionAt } from '../diagnostics/source-file.ts'
import type { Position, SourceFile, Span } from '../diagnostics/source-file.ts'

/** Where something stands. */
export interface JsonSpan {
  readonly start: Position
  readonly end: Position
}

/** What `5x5 check --json` and `5x5 lint --json` print. */
export interface JsonReport {
  readonly files: readonly {
    readonly path: string
    readonly partial: boolean
    readonly diagnostics: readonly unknown[]
  }[]
}

/** What was found in one ruleset that was read from several sources. */
export interface FoundIn {
  readonly sources: readonly SourceFile[]
  readonly partial: boolean
  readonly diagnostics: readonly Diagnostic[]
}

/** Returns one entry for each file, in the order given. */
export function jsonReport(found: readonly FoundIn[]): JsonReport {
  return {
    files: found.flatMap(({ sources, partial, diagnostics }) =>
      sources.map(source => ({ path: source.path, partial, diagnostics: diagnostics.filter(({ span }) => span.source === source).map(jsonDiagnostic) })),
    ),
  }
}

/** Returns a span as lines and columns. */
export function jsonSpan(span: Span): JsonSpan {
  return { start: positionAt(span.source, span.start), end: positionAt(span.source, span.end) }
}

/** Returns one diagnostic; a finding of the linter has its fingerprint. */
export function jsonDiagnostic(diagnostic: Diagnostic): unknown {
  const { code, severity, message, why, help, span, related, witness, fix, backend } = diagnostic
  return {
    code,
    severity,
    message,
    ...(why === undefined ? {} : { why }),
    ...(help === undefined ? {} : { help }),
    span: jsonSpan(span),
    related: related.map(jsonPlace),
    ...(witness === undefined ? {} : { witness: { packet: witness.packet, path: witness.path.map(jsonPlace) } }),
    ...(fix === undefined ? {} : { fix: { kind: fix.kind, message: fix.message, edits: fix.edits.map(edit => ({ span: jsonSpan(edit.span), text: edit.text })) } }),
    ...(backend === undefined ? {} : { backend }),
    ...('fingerprint' in diagnostic ? { fingerprint: diagnostic.fingerprint } : {}),
  }
}

function jsonPlace({ message, span }: RelatedPlace): unknown {
  return { message, path: span.source.path, span: jsonSpan(span) }
}
