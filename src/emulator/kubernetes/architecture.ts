/** This machine's processor, as Go and therefore Kubernetes and the indexes of images name it. */
export const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
