/** A program with real sockets inside a network namespace: it serves, and tries to reach others. In Python, which has raw sockets. */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { writeAddress } from '../../src/net/address.ts'
import type { Attempt } from '../../src/simulate/attempt.ts'
import type { ListeningSocket } from '../../src/topology/topology.ts'

/** Milliseconds that an attempt waits: longer than the lab's kernels look for a neighbour; TCP may hear of an error only when it sends again, after a second. */
const PATIENCE = { ping: 450, udp: 450, tcp: 1300 }

const PROGRAM = `
import errno, json, os, select, socket, struct, sys, threading, time
def listen(one):
    six = ':' in one['address']
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM if one['protocol'] == 'tcp' else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND
    s.bind((one['address'], one['port']))
    if one['protocol'] == 'tcp': s.listen(64)
    elif six: s.setsockopt(socket.IPPROTO_IPV6, 49, 1)  # IPV6_RECVPKTINFO
    else: s.setsockopt(socket.SOL_IP, 8, 1)  # IP_PKTINFO
    threading.Thread(target=serve, args=(s, one['protocol']), daemon=True).start()
def serve(s, protocol):
    kept = []
    while True:
        try:
            if protocol == 'tcp': kept.append(s.accept()[0])
            else: answer(s)
        except OSError: pass
def answer(s):
    data, where, _, far = s.recvmsg(2048, 256)
    for level, kind, value in where:  # from the address that was asked
        if level == socket.SOL_IP: where = [(level, kind, b'\\0\\0\\0\\0' + value[8:12] + b'\\0\\0\\0\\0')]
    s.sendmsg([b'answer'], where, 0, far)
def name(error):
    if error == errno.ECONNREFUSED: return 'refused'
    if error in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EINVAL): return 'unreachable'
    if error == errno.EPERM: return 'not permitted'
    return errno.errorcode.get(error, str(error))
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff); total += total >> 16
    return ~total & 0xffff
def attempt(task):
    six = ':' in task['address']
    family = socket.AF_INET6 if six else socket.AF_INET
    patience = task['patience'] / 1000
    if task['kind'] == 'tcp':
        s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(patience)
        s.connect((task['address'], task['port'])); return 'connected'
    if task['kind'] == 'udp':
        s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(patience)
        s.setsockopt(*((socket.IPPROTO_IPV6, 25, 1) if six else (socket.SOL_IP, 11, 1)))  # IP_RECVERR: be told of every error
        s.connect((task['address'], task['port'])); s.send(b'probe'); s.recv(2048); return 'answered'
    return ping(task, six, family, patience)
def ping(task, six, family, patience):
    s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
    probe = socket.socket(family, socket.SOCK_DGRAM)
    for one in (s, probe):
        if task['device']: one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, task['device'].encode())
    probe.connect((task['address'], 9)); s.bind((task['source'] or probe.getsockname()[0], 0))
    body = struct.pack('!HH', task['id'], 1) + b'abcdefgh'
    kind = 128 if six else 8
    s.sendto(struct.pack('!BBH', kind, 0, 0 if six else checksum(struct.pack('!BBH', kind, 0, 0) + body)) + body, (task['address'], 0))
    until = time.time() + patience
    while select.select([s], [], [], max(0, until - time.time()))[0]:
        data, far = s.recvfrom(2048)
        icmp = data if six else data[(data[0] & 15) * 4:]
        if icmp[0] == (129 if six else 0) and icmp[4:6] == body[:2] and far[0].split('%')[0] == task['address']: return 'answered'
        if icmp[0] in ((1, 2, 3) if six else (3, 11)):
            inner = icmp[8:]
            at = 44 if six else (inner[0] & 15) * 4 + 4
            if inner[at:at + 2] == body[:2]: return 'refused' if not six and icmp[0] == 3 and icmp[1] == 3 else 'unreachable'
    return 'silence'
for line in sys.stdin:
    task = json.loads(line)
    try:
        if 'protocol' in task: listen(task); print('listening', flush=True)
        else: print(attempt(task), flush=True)
    except socket.timeout: print('silence', flush=True)
    except OSError as error: print(name(error.errno), flush=True)
`

/** A program in a namespace: it serves, and it tries when it is asked to. */
export interface SocketActor {
  readonly listen: (sockets: readonly ListeningSocket[]) => Promise<void>
  /** Returns what the program was told, in the words of `Told`. */
  readonly attempt: (attempt: Attempt) => Promise<string>
  readonly stop: () => void
}

/** Starts the program in a namespace. */
export function startActor(namespace: string): SocketActor {
  const child = spawn('ip', ['netns', 'exec', namespace, existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3', '-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (task: object): Promise<string> => {
    child.stdin.write(`${JSON.stringify(task)}\n`)
    const { value } = await lines.next()
    if (typeof value !== 'string') throw new Error(`the actor in ${namespace} ended`)
    return value
  }
  let id = 1
  return {
    async listen(sockets) {
      for (const { protocol, address, port } of sockets) {
        const told = await ask({ protocol, port, address: address === undefined ? '::' : writeAddress(address) })
        if (told !== 'listening') throw new Error(`${namespace} cannot listen on ${protocol} port ${port}: ${told}`)
      }
    },
    attempt: ({ kind, destination, port, source, device }) => ask({ kind, source: source === undefined ? '' : writeAddress(source), device: device ?? '', address: writeAddress(destination), port: port ?? 0, patience: PATIENCE[kind], id: id++ }),
    stop: () => void child.kill(),
  }
}
