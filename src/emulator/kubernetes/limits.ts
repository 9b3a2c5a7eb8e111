/** Version that the API server says it is; the one the conformance checks were validated against. */
export const kubernetesVersion = '1.34.4';

/** Watch events kept for resuming; a real API server keeps five minutes of them. */
export const watchHistoryEvents = 5_000;

/** A watch that asks for no end gets one, as real API servers do (30 to 60 minutes there), in seconds. */
export const watchTimeoutSeconds = 1_800;

/** Interval of bookmarks on a quiet watch, in milliseconds; a minute in a real API server. */
export const bookmarkIntervalMs = 60_000;

/** Events are forgotten after this; the API server's default is one hour. */
export const eventLifetimeMs = 3_600_000;

/** A failing reconciliation is tried again after this, in milliseconds. */
export const reconcileRetryMs = 1_000;

/** Azure takes about 20 s to give a LoadBalancer Service its address; divided by the time scale. */
export const loadBalancerSeconds = 20;

/** First and longest pause between image pulls and between restarts of a container: the kubelet's own, scaled. */
export const backOffSeconds = { first: 10, longest: 300 };

/** No pause is shorter than this however fast the clock runs: each attempt costs real work. In milliseconds. */
export const shortestBackOffMs = 500;

/** A container that ran this long starts again with the first pause; ten minutes in the kubelet, scaled. */
export const backOffResetSeconds = 600;

/** One request to a registry, body included, in milliseconds: a layer may hold a gigabyte. */
export const registryTimeoutMs = 300_000;

/** Signs that an image is broken or hostile: real ones stay far below. In bytes and entries. */
export const imageLimits = { manifestBytes: 4 * 1024 * 1024, layerBytes: 16 * 1024 ** 3, layerEntries: 1_000_000 };

/** Longest log of one run of a container, in bytes; what comes later is dropped. The kubelet rotates at 10 MiB. */
export const longestLogBytes = 10 * 1024 * 1024;

/** What a kubelet keeps for itself of a node: share of cores and bytes of memory. */
export const nodeReserved = { cpuShare: 0.05, memoryBytes: 1024 ** 3 };

/** Pods that one node takes: AKS's default with Azure CNI Overlay. */
export const podsPerNode = 250;

/** How often a followed log is looked at for new lines, in milliseconds. */
export const logFollowIntervalMs = 200;

/** Containers get this long to end when the emulator stops, in milliseconds: the pods are not deleted and run again. */
export const suspendGraceMs = 2_000;
