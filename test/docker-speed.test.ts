/** Five hundred containers with as many published ports: rules of both families and the topology. */

import { expect, test } from 'vitest'
import { readEngine } from '../src/docker/engine.ts'
import { generateRules } from '../src/docker/generate.ts'
import { assumedOutside } from '../src/docker/outside.ts'
import { readHost } from '../src/docker/read-host.ts'
import { toTopology } from '../src/docker/to-topology.ts'

/** CPU seconds that the bar allows, on a machine that does other things too. */
const LIMIT = 1

test.each(['29', '28.1.1', '27.5.1', '20.10.24'])('engine %s: 500 containers with 500 published ports take less than a second', release => {
  const engine = readEngine(release)
  if (!engine) throw new Error(`${release} is a release`)
  const services = Array.from({ length: 500 }, (_, index) => `  s${index}:\n    image: x\n    networks: [n${index % 10}]\n    ports: ["${10000 + index}:80"]\n`)
  const networks = Array.from({ length: 10 }, (_, index) => `  n${index}: {}\n`)
  const compose = { path: 'compose.yaml', text: `name: many\nservices:\n${services.join('')}networks:\n${networks.join('')}` }
  const make = (): number => {
    const before = process.cpuUsage()
    const { value } = readHost({ compose, engine, directory: 'many' })
    const lines = (['ipv4', 'ipv6'] as const).flatMap(family => generateRules(value, family))
    const { namespaces } = toTopology(value, assumedOutside(value).namespace)
    expect(value.sandboxes.length).toBe(500)
    expect(namespaces.length).toBe(501)
    expect(lines.filter(({ text }) => text.includes('--to-destination')).length).toBe(500)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  }
  const seconds = Math.min(make(), make())
  expect(seconds).toBeLessThan(LIMIT)
})
