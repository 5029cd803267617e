/** `5x5 fmt` of a policy: printed, looked at, or written back. */

import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { formatPolicy } from '../../src/policy/format-policy.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { EXIT } from '../command.ts'
import type { FlagValues, Terminal } from '../command.ts'
import { writeText } from '../write-file.ts'

/** Formats one policy as the flags say; returns the exit code. */
export async function formatPolicyFile(source: SourceFile, values: FlagValues, { out, err, paintErr, directory }: Terminal, isOneOfMany: boolean): Promise<number> {
  const { text, diagnostics } = await formatPolicy(source)
  if (text === undefined) {
    err(`${writeDiagnostics(diagnostics, paintErr)}\n${source.path} is not formatted: it has errors\n`)
    return EXIT.findings
  }
  if (values['check'] !== true && values['write'] !== true) out(isOneOfMany ? `# ${source.path}\n${text}` : text)
  else if (text !== source.text) {
    if (values['write'] === true) writeText(source.path, text, directory)
    out(`${source.path}\n`)
    return values['check'] === true ? EXIT.findings : EXIT.clean
  }
  return EXIT.clean
}
