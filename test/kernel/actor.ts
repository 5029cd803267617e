/** Real senders and listeners: small programs that run inside a network namespace with the kernel's own sockets. */

import { spawn } from 'node:child_process'

/** A packet to send with a real socket; waits for what comes back. */
export interface Sending {
  readonly protocol: 'tcp' | 'udp'
  readonly from: { readonly address: string; readonly port: number }
  readonly to: { readonly address: string; readonly port: number }
}

/** How long a sender waits for an answer, in milliseconds: shorter than the first retransmission of a SYN. */
const PATIENCE = 600

/** The program: `process.argv[1]` is its task as JSON, it prints what happened as JSON lines. No TypeScript: it runs by `node -e`. */
const PROGRAM = `
const task = JSON.parse(process.argv[1])
const say = value => process.stdout.write(JSON.stringify(value) + '\\n')
const end = value => { say(value); process.exit(0) }
const name = error => ({ ECONNREFUSED: 'refused', EHOSTUNREACH: 'unreachable', ENETUNREACH: 'unreachable', EACCES: 'unreachable', EPERM: 'not permitted' })[error.code] ?? error.code
if (task.role === 'listen') {
  const socket = require('dgram').createSocket(task.address.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (message, from) => { say({ seen: from.address + ':' + from.port }); socket.send('answer', from.port, from.address) })
  socket.bind(task.port, task.address, () => say({ ready: true }))
} else if (task.protocol === 'udp') {
  const socket = require('dgram').createSocket(task.to.address.includes(':') ? 'udp6' : 'udp4')
  socket.on('error', error => end({ answer: name(error) }))
  socket.on('message', (message, from) => end({ answer: 'answered' }))
  socket.bind(task.from.port, task.from.address, () => socket.connect(task.to.port, task.to.address, () => socket.send('probe', error => { if (error) end({ answer: name(error) }) })))
  setTimeout(() => end({ answer: 'silence' }), task.patience)
} else {
  const socket = require('net').connect({ host: task.to.address, port: task.to.port, localAddress: task.from.address, localPort: task.from.port })
  socket.on('connect', () => end({ answer: 'connected' }))
  socket.on('error', error => end({ answer: name(error) }))
  setTimeout(() => end({ answer: 'silence' }), task.patience)
}`

/** Sends from a namespace; returns `answered`, `refused`, `unreachable`, `not permitted` or `silence`. */
export async function send(namespace: string, sending: Sending): Promise<string> {
  const child = start(namespace, { ...sending, role: 'send', patience: PATIENCE })
  const line = await child.nextLine()
  child.stop()
  return typeof line['answer'] === 'string' ? line['answer'] : 'silence'
}

/** Listens for UDP in a namespace and answers; `seen` tells whom the listener saw, `stop` ends it. */
export async function listen(namespace: string, address: string, port: number): Promise<{ seen: () => string | null; stop: () => void }> {
  const child = start(namespace, { role: 'listen', address, port })
  await child.nextLine()
  let seen: string | null = null
  void (async () => {
    const line = await child.nextLine()
    if (typeof line['seen'] === 'string') seen = line['seen']
  })()
  return { seen: () => seen, stop: child.stop }
}

interface Child {
  readonly nextLine: () => Promise<Record<string, unknown>>
  readonly stop: () => void
}

function start(namespace: string, task: object): Child {
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', PROGRAM, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const waiting: ((line: string) => void)[] = []
  let rest = ''
  const give = (line: string): void => {
    const next = waiting.shift()
    if (next) next(line)
    else lines.push(line)
  }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    parts.forEach(give)
  })
  child.on('close', () => give('{}'))
  const nextLine = async (): Promise<Record<string, unknown>> => JSON.parse(lines.shift() ?? (await new Promise<string>(resolve => waiting.push(resolve)))) as Record<string, unknown>
  return { nextLine, stop: () => void child.kill() }
}
