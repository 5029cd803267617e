/** The command table, help, and what every command has in common. A new command is a file in commands/ and a line here. */

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { didYouMean } from '../src/extensions/did-you-mean.ts'
import { commandError, EXIT, isCommandError } from './command.ts'
import type { Command, FlagValues, Terminal } from './command.ts'
import type { CommandWords } from './completion-scripts.ts'
import { fillHelp } from './help-text.ts'

interface CommandRow {
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** All commands; each is loaded when it is asked for. */
const COMMANDS: Readonly<Record<string, CommandRow>> = {
  trace: { summary: 'tell where a packet goes, rule by rule', load: async () => (await import('./commands/trace.ts')).trace },
  ping: { summary: 'tell whether one host of a topology reaches another', load: async () => (await import('./commands/ping.ts')).ping },
  connect: { summary: 'tell whether a program could connect to a port of another host', load: async () => (await import('./commands/connect.ts')).connect },
  check: { summary: 'report what loading a ruleset would refuse, and what can hardly be meant', load: async () => (await import('./commands/check.ts')).check },
  lint: { summary: 'review rulesets: what is refused, what can hardly be meant, what is open', load: async () => (await import('./commands/lint.ts')).lint },
  dead: { summary: 'find rules and chains that do nothing, for every packet there can be', load: async () => (await import('./commands/dead.ts')).dead },
  witness: { summary: 'find for every rule a packet that reaches it', load: async () => (await import('./commands/witness.ts')).witness },
  reach: { summary: 'tell which packets get through, and which rules see to it', load: async () => (await import('./commands/reach.ts')).reach },
  matrix: { summary: 'tell who may reach whom on a service, as a table or a drawing', load: async () => (await import('./commands/matrix.ts')).matrix },
  diff: { summary: 'tell which packets two rulesets treat differently, and why', load: async () => (await import('./commands/diff.ts')).diff },
  optimise: { summary: 'write fewer rules with the same meaning, proved over all packets', load: async () => (await import('./commands/optimise.ts')).optimise },
  explain: { summary: 'say every rule in plain English', load: async () => (await import('./commands/explain.ts')).explain },
  fmt: { summary: 'print a ruleset as iptables-save would, or a policy aligned', load: async () => (await import('./commands/fmt.ts')).fmt },
  compile: { summary: 'turn a policy into rules for both families', load: async () => (await import('./commands/compile.ts')).compile },
  plan: { summary: 'tell how to get from live rules to those of a policy', load: async () => (await import('./commands/plan.ts')).plan },
  test: { summary: 'prove the assertions of a policy over all packets', load: async () => (await import('./commands/test.ts')).test },
  decompile: { summary: 'write a policy that does what rulesets do', load: async () => (await import('./commands/decompile.ts')).decompile },
  lsp: { summary: 'serve editors that write policies (Language Server Protocol)', load: async () => (await import('./commands/lsp.ts')).lsp },
  docs: { summary: 'print the reference of all matches and targets, or of one', load: async () => (await import('./commands/docs.ts')).docs },
  docker: { summary: 'write the rules that dockerd would write for a compose file', load: async () => (await import('./commands/docker.ts')).docker },
  cni: { summary: 'write the rules of container network plugins, of flannel and of podman', load: async () => (await import('./commands/cni.ts')).cni },
  kube: { summary: 'write the rules that kube-proxy would write for services', load: async () => (await import('./commands/kube.ts')).kube },
  simulate: { summary: 'answer JSON requests about packets, line by line', load: async () => (await import('./commands/simulate.ts')).simulate },
  snapshot: { summary: 'write down the network of this machine as a topology file', load: async () => (await import('./commands/snapshot.ts')).snapshot },
  verify: { summary: 'compare what the kernel does with what the simulator says, rule by rule', load: async () => (await import('./commands/verify.ts')).verify },
  completion: { summary: 'print a completion script for bash, zsh or fish', load: async () => (await import('./commands/completion.ts')).completionOf(commandWords) },
}

/** What the completion scripts know of each command. */
async function commandWords(): Promise<readonly CommandWords[]> {
  return Promise.all(Object.entries(COMMANDS).map(async ([name, { summary, load }]) => {
    const { flags = {}, words } = name === 'completion' ? {} : await load()
    return { name, summary, words: (await words?.()) ?? [], flags: Object.entries(flags).map(([flag, { type }]) => ({ name: flag, takesValue: type === 'string' })) }
  }))
}

/** Runs a command line without the program's name; returns the exit code. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(words, terminal)
  } catch (error) {
    if (!isCommandError(error)) throw error
    const [message = '', ...help] = error.message.split('\n')
    terminal.err(`${terminal.paintErr('error', 'error')}: ${message}\n${help.map(line => `  ${line}\n`).join('')}`)
    return EXIT.usage
  }
}

async function dispatch(words: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return printHelp(rest[0], terminal)
  if (name === '--version' || name === '-V') {
    terminal.out(`5x5 ${version()}\n`)
    return EXIT.clean
  }
  const row = COMMANDS[name]
  if (!row) throw commandError(...unknownCommand(name))
  const command = await row.load()
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(fillHelp(command.help, terminal.outColumns))
    return EXIT.clean
  }
  const { values, positionals } = parse(name, command, rest)
  return command.run(values, positionals, terminal)
}

async function printHelp(name: string | undefined, terminal: Terminal): Promise<number> {
  const row = name === undefined ? undefined : COMMANDS[name]
  if (name !== undefined && !row) throw commandError(...unknownCommand(name))
  terminal.out(fillHelp(row ? (await row.load()).help : mainHelp(), terminal.outColumns))
  return EXIT.clean
}

function unknownCommand(name: string): [string, string] {
  const near = didYouMean(name, Object.keys(COMMANDS))
  return [`there is no command \`${name}\``, near ?? (name.startsWith('-') ? 'the command comes first: `5x5 COMMAND ...`' : '5x5 --help lists the commands')]
}

function mainHelp(): string {
  const width = Math.max(...Object.keys(COMMANDS).map(name => name.length))
  return [
    '5x5 reads iptables rulesets and tells what they do.',
    '',
    'usage: 5x5 COMMAND ...',
    '',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '  5x5 COMMAND --help    flags and examples of a command',
    '  5x5 --version',
    '',
    'RULES is what `iptables-save` or `iptables -S` prints, or a list of `iptables ...` commands; `-` is standard input.',
    '',
    'examples:',
    '  iptables-save | 5x5 check -',
    "  5x5 trace firewall.rules 'eth0 tcp 198.51.100.7:40000 > 203.0.113.2:443 syn'",
    '',
    'exit code: 0 nothing found, 1 something found, 2 the command line or a file cannot be read, 3 a bug in 5x5',
    '',
  ].join('\n')
}

function parse(name: string, command: Command, words: readonly string[]): { readonly values: FlagValues; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...words], options: command.flags, allowPositionals: true, strict: true })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw commandError(...flagProblem(name, command, error))
  }
}

/** parseArgs explains at length; this keeps the first part and names the nearest flag. */
function flagProblem(name: string, command: Command, error: Error): [string, string] {
  const seeHelp = `5x5 ${name} --help lists the flags`
  const flag = /^Unknown option '([^']*)'/.exec(error.message)?.[1]
  const [, lacking, extra] = /^Option '(?:-\w, )?(-\S+?)(?: <value>)?' (?:argument|(does not take))/.exec(error.message) ?? []
  if (lacking !== undefined) return [extra === undefined ? `\`${lacking}\` needs a value` : `\`${lacking}\` takes no value`, seeHelp]
  if (flag === undefined) return [(error.message.split(/[.\n]/)[0] ?? '').replace(/'([^']*)'/, '`$1`').replace(/^Option/, 'flag'), seeHelp]
  return [`\`5x5 ${name}\` has no flag \`${flag}\``, didYouMean(flag, Object.keys(command.flags).map(known => `--${known}`)) ?? seeHelp]
}

/** The package file stands one folder up in the sources, two in what is built. */
function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return String((JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version?: unknown }).version)
    } catch {
      continue
    }
  }
  return 'of unknown version'
}
