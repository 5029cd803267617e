/** `5x5 simulate --jsonl`: one request a line on standard input, one answer a line on standard output, until the input ends. */

import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readBackend } from '../input.ts'
import { answerParts } from '../simulate/answer-request.ts'
import { readLines } from '../simulate/read-lines.ts'

const help = `5x5 simulate answers requests about packets: one JSON request a line on standard input, one answer a line on standard output.

usage: 5x5 simulate --jsonl [--backend legacy|nft]

A request is {"topology": {...}, "ruleset": "iptables-save text", "ruleset6": "...", "ipsets": "ipset restore text",
"flows": [{"packets": [{"in": "eth0" | null, "proto": "tcp", "src": ..., "dst": ..., ...}]}]}. Each flow starts in a fresh world.
The answer says of every packet its outcome, the rules it matched, how conntrack saw it and how it left; \`assumed\` names
conditions that could not be decided and were taken not to hold.

exit code: 0 the input ended, 2 wrong flags
`

/** The command. */
export const simulate: Command = {
  help,
  flags: { jsonl: { type: 'boolean' }, backend: { type: 'string' } },
  async run(values, words, terminal) {
    if (!values['jsonl'] || words.length > 0) throw commandError('`5x5 simulate` reads requests from standard input', 'usage: 5x5 simulate --jsonl')
    const backend = readBackend(values['backend']) ?? 'legacy'
    for await (const line of readLines(process.stdin.setEncoding('utf8'))) {
      for (const part of answerParts(line, backend)) terminal.out(part)
    }
    return EXIT.clean
  },
}
