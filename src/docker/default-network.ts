/** The names of the networks that the engine makes by itself. */

/** The network of containers that name none, as the engine calls it. */
export const DEFAULT_NETWORK = 'bridge'

/** The bridge of the default network. */
export const DEFAULT_BRIDGE = 'docker0'

/** The network by which swarm tasks reach the world; its bridge has the same name. */
export const SWARM_GATEWAY = 'docker_gwbridge'
