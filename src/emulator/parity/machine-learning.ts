import type { ParitySection } from './section.js';

export const machineLearning: readonly ParitySection[] = [
  {
    title: 'Machine Learning, 2022-10-01',
    rows: [
      {
        operation: 'workspaces: get, list, put',
        here: 'emulated',
        deviations: 'A put answers at once. Key Vault and Application Insights are not there. Delete is absent.',
        witnesses: ['resource-manager'],
      },
      {
        operation: 'datastores: get, list, listSecrets',
        here: 'emulated',
        deviations: '`workspaceblobstore` and `workspaceartifactstore`; making others is absent.',
        witnesses: ['assets'],
      },
      {
        operation: 'models, environments, codes: containers and versions put, get, list, delete',
        here: 'emulated',
        deviations:
          '`latestVersion` is the one made last. Numbers go on after deletes, of a whole ' +
          "container too. `modelUri` is answered as it was sent (Azure may rewrite it). That an asset's address " +
          'exists is checked when a job reads it. Curated environments are absent.',
        witnesses: ['assets'],
      },
      {
        operation: 'computes: put, get, list, delete',
        here: 'emulated',
        deviations:
          'Clusters of machines (`AmlCompute`) only, one of which, `cpu-cluster`, is there from the start. Their nodes are ' +
          'this machine, and neither size nor scale has an effect.',
        witnesses: ['computes', 'jobs'],
      },
      {
        operation: 'command jobs: put, get, list',
        here: 'real',
        deviations:
          "The command runs by bash, in a directory of its own with a clean environment, as the emulator's user: " +
          "not in a container, so the image of the environment is recorded and not run, and the machine's own " +
          'programs can be seen. `properties.error` says why a job failed; Azure keeps that in its run history, ' +
          'which is absent. Sweep, pipeline and AutoML jobs are refused.',
        witnesses: ['jobs'],
      },
      {
        operation: 'environment of a job',
        here: 'real',
        deviations:
          "A Python environment from the conda file's pip list, built once for each list and shared. The Python is " +
          "this machine's; conda packages other than `python` and `pip` make the build fail. The log is at " +
          '`azureml-logs/20_image_build_log.txt` as in Azure.',
        witnesses: ['jobs'],
      },
      {
        operation: 'inputs: folders, files, models, literals',
        here: 'real',
        deviations:
          'Downloaded before the command starts, also for mounts. `azureml://…/datastores/…`, ' +
          "`azureml:MODEL:VERSION`, ids of model versions, addresses of blobs in the workspace's account; data " +
          "assets and other jobs' outputs are absent.",
        witnesses: ['jobs'],
      },
      {
        operation: 'outputs: folders',
        here: 'real',
        deviations:
          'Uploaded when the command has ended well, in the order in which the files were written; a mount in Azure ' +
          'writes at once, and what a failed job wrote.',
        witnesses: ['jobs'],
      },
      {
        operation: 'job log',
        here: 'real',
        deviations: "`user_logs/std_log.txt` below the job's artifacts, brought up to date every second.",
        witnesses: ['jobs'],
      },
      {
        operation: 'jobs: cancel, delete',
        here: 'real',
        deviations:
          "A cancelled job's process group is ended. Deleting a job that is not over is 409. Cancelling one that is " +
          'over is 200.',
        witnesses: ['jobs'],
      },
      {
        operation: 'a job when the emulator is killed',
        here: 'emulated',
        deviations: "Runs again from its start; Azure's would have gone on.",
        witnesses: ['restart'],
      },
      {
        operation: 'online endpoints, schedules, registries, data assets',
        here: 'absent',
      },
    ],
  },
];
