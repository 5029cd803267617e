/** Source: iptables-extensions(8) "bpf"; net/netfilter/xt_bpf.c bpf_mt(), bpf_mt_check(). */

import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { printBare, text } from '../text-types.ts'
import { undecided } from '../undecided.ts'

const LIMIT = 64
const BITS = [16, 8, 8, 32]

/** The number of instructions and the instructions of four numbers each. */
const bytecode: OptionType<string> = {
  syntax: 'count,instruction[,...]', words: 1,
  read([word = '']) {
    const [count = '', ...given] = word.split(',')
    const instructions = given.at(-1) === '' ? given.slice(0, -1) : given
    const parsed = instructions.map(instruction => /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/.exec(instruction)?.slice(1).map(Number))
    const bad = parsed.findIndex(numbers => !numbers || numbers.some((number, index) => number >= 2 ** (BITS[index] ?? 0)))
    if (Number(count) > LIMIT) return refuse(`a program of ${count} instructions is longer than ${LIMIT}`)
    if (bad !== -1) return refuse(`\`${instructions[bad]}\` is not an instruction: code, two jumps and a number`)
    if (!/^\s*\d+$/.test(count) || Number(count) !== parsed.length || parsed.length === 0) return refuse(`\`${word}\` says ${count || 'not how many'} instructions and has ${parsed.length}`)
    return read([parsed.length, ...parsed.map(numbers => numbers?.join(' '))].join(','))
  },
  write: value => [value],
}

/** Kernel: programs that could run on or read what is not there are refused; that is not looked at here. */
export const bpf = defineMatch({
  name: 'bpf',
  doc: 'matches where a program says so',
  requiresOneOf: ['bytecode', 'object-pinned'],
  options: {
    bytecode: { type: bytecode, excludes: ['object-pinned'], print: use => `--bytecode "${use.value}"`, doc: 'classic BPF program', means: value => undecided(`-m bpf --bytecode "${value}"`) },
    'object-pinned': { type: text(511, 'path'), excludes: ['bytecode'], print: printBare('--object-pinned'), doc: 'path of an eBPF program', means: path => undecided(`-m bpf --object-pinned ${path}`) },
  },
})
