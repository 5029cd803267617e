/** `5x5 snapshot [-o FILE]` */

import { count } from '../../src/report/paint.ts'
import { snapshotMachine } from '../../src/topology/snapshot.ts'
import type { Snapshot } from '../../src/topology/snapshot.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, Terminal } from '../command.ts'
import { writeText } from '../write-file.ts'
import { readMachine } from '../snapshot/read-machine.ts'

const help = `5x5 snapshot writes down the network of this machine as a topology file. It only reads.

usage: 5x5 snapshot [-o FILE] [--namespace NAME]...

  -o, --output FILE    write there instead of to standard output
  --namespace NAME     only this one of the namespaces that \`ip netns list\` names; may stand several times

The file has, for this namespace (\`host\`) and every named one: devices with addresses, bridge ports, veth pairs and vlans,
routes and routing rules, neighbours, the sysctls that decide a packet's way, listening sockets, ipsets, and the rules of
iptables and ip6tables (of the backend that has any). Without root it has no rules, ipsets and other namespaces. What is left out is
said in a comment of the file and on standard error.

examples:
  sudo 5x5 snapshot -o host.yaml
  5x5 trace --topology host.yaml 'eth0 tcp 198.51.100.7 > 203.0.113.2:443'

exit code: 0 written, 2 the machine cannot be read or the file cannot be written
`

/** The command. */
export const snapshot: Command = {
  help,
  flags: { output: { type: 'string', short: 'o' }, namespace: { type: 'string', multiple: true } },
  async run(values, words, terminal) {
    if (words.length > 0) throw commandError(`\`5x5 snapshot\` reads this machine and takes no file: what is \`${words[0]}\`?`, 'usage: 5x5 snapshot [-o FILE]')
    const { output, namespace } = values
    const machine = readMachine(Array.isArray(namespace) ? namespace.map(String) : [])
    const { text, leftOut, backends } = snapshotMachine(machine)
    if (typeof output === 'string') write(output, text, terminal.directory)
    else terminal.out(text)
    for (const words of leftOut) terminal.err(`${terminal.paintErr('warning', 'left out')}: ${words}\n`)
    if (typeof output === 'string') terminal.err(`${count(machine.namespaces.length, 'namespace')} written to ${output}${backendWords(backends)}\n`)
    return EXIT.clean
  },
}

/** `trace` and `verify` take rules as those of iptables-legacy unless they are told. */
function backendWords(backends: Snapshot['backends']): string {
  const nft = [...new Set(backends.filter(one => one.backend === 'nft').map(one => one.namespace))]
  if (nft.length === 0) return ''
  if (backends.every(one => one.backend === 'nft')) return '; the rules are of iptables-nft: trace them with `--backend nft`'
  return `; the rules of ${nft.join(', ')} are of iptables-nft, the others of iptables-legacy`
}

function write(path: string, text: string, directory: Terminal['directory']): void {
  writeText(path, text, directory)
}
