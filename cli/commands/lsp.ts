/** `5x5 lsp` */

import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { serve } from '../lsp/server.ts'

const help = `5x5 lsp is a language server for policies (*.gate), for editors: it speaks the Language Server Protocol over its
standard input and output.

usage: 5x5 lsp [--stdio]

  --stdio   what editors add; it changes nothing

It tells what is wrong with a policy as it is written, what a name means and which rules a sentence becomes (hover), where
a name is defined and used, renames it in all files, formats, and completes names, services and words. A policy is read
with what it includes; an open file that another open one includes is seen as part of that one. \`grammar/gate.tmLanguage.json\`
of the package colours the text.

examples:
  vim.lsp.config('gate', { cmd = { '5x5', 'lsp' }, filetypes = { 'gate' } })   (in Neovim)

exit code: 0 the editor has ended the session, 1 it ended without asking for a shutdown, 2 the command line cannot be read
`

/** The command. */
export const lsp: Command = {
  help,
  flags: { stdio: { type: 'boolean' } },
  async run(_values, words) {
    if (words.length > 0) throw commandError(`\`5x5 lsp\` takes no files: the editor sends them`, 'usage: 5x5 lsp')
    await serve(process.stdin, process.stdout)
    return EXIT.clean
  },
}
