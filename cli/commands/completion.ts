/** `5x5 completion SHELL` */

import { completionScript, SHELLS } from '../completion-scripts.ts'
import type { CommandWords } from '../completion-scripts.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'

const help = `5x5 completion prints a script that completes commands, flags and files in your shell.

usage: 5x5 completion bash|zsh|fish

examples:
  5x5 completion bash > /etc/bash_completion.d/5x5
  5x5 completion zsh > "\${fpath[1]}/_5x5"
  5x5 completion fish > ~/.config/fish/completions/5x5.fish

exit code: 0 done, 2 there is no such shell
`

/** Returns the command; `list` tells all commands with their flags. */
export function completionOf(list: () => Promise<readonly CommandWords[]>): Command {
  return {
    help,
    flags: {},
    async run(_values, words, { out }) {
      const shell = SHELLS.find(name => name === words[0])
      if (!shell || words.length > 1) throw commandError(words[0] === undefined ? 'which shell?' : `there is no script for \`${words.join(' ')}\``, `the shells are ${SHELLS.join(', ')}`)
      out(completionScript(shell, await list()))
      return EXIT.clean
    },
  }
}
