/** Zones and lists of a policy that no sentence names. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import type { PolicyFile, StatementNode } from '../policy/ast.ts'
import { nameUses } from '../policy/name-uses.ts'
import { readPolicy } from '../policy/read.ts'

/** Returns a note for every name that the first source defines and none of the sources uses; the others are what it includes. A file of definitions only is there for others. */
export function unusedNames(sources: readonly SourceFile[]): readonly Diagnostic[] {
  const files = sources.map(source => readPolicy(source).value)
  const [main] = files
  if (!main || files.some(({ partial }) => partial) || main.statements.every(isDefinition)) return []
  const used = new Set(files.flatMap(nameUses).flatMap(({ name, isDefinition: defines }) => (defines ? [] : [name])))
  return main.statements.flatMap(statement => unusedIn(statement, used))
}

function isDefinition({ kind }: PolicyFile['statements'][number]): boolean {
  return kind === 'let' || kind === 'zone' || kind === 'include'
}

/** A zone that another program owns says what is left alone: that is its use. */
function unusedIn(statement: StatementNode, used: ReadonlySet<string>): readonly Diagnostic[] {
  if ((statement.kind !== 'let' && statement.kind !== 'zone') || used.has(statement.name.text) || (statement.kind === 'zone' && statement.owner)) return []
  const { text, span } = statement.name
  const message = statement.kind === 'let' ? `list \`${text}\` is used nowhere` : `no sentence is about zone \`${text}\``
  const help = statement.kind === 'let' ? 'remove it, or use it' : 'what comes from there and goes there is decided by sentences about all zones and by the default: say so with a sentence, or remove the zone'
  return [{ code: 'unused-name', severity: 'note', message, span, help, related: [] }]
}
