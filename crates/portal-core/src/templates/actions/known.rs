//! Every action, in the order of their names.

use super::{Action, DURATION, Effect, Parameter};

const fn needs(name: &'static str, kind: &'static str, description: &'static str) -> Parameter {
    Parameter { name, kind, required: true, description }
}

const fn may(name: &'static str, kind: &'static str, description: &'static str) -> Parameter {
    Parameter { name, kind, required: false, description }
}

const CONNECTOR: Parameter = needs("connector", "string", "Name of a connector");
const TIMEOUT: Parameter = may("timeout", DURATION, "How long its end is waited for; `1h` if absent");
const URL: Parameter =
    needs("url", "string", "A folder beside the template (`./skeleton`), or the address of one in a repository");
const TARGET: Parameter =
    may("targetPath", "string", "Folder of the workspace that it is written into; the workspace itself if absent");
const VALUES: Parameter = may("values", "object", "What file names and contents are rendered with, as `values`");
const REPO_URL: Parameter =
    needs("repoUrl", "string", "The repository, as the picker writes it: `github.com?owner=o&repo=r`");
const TARGET_IN_REPO: Parameter =
    may("targetPath", "string", "Folder of the repository that the files go to; its top if absent");
const SOURCE: Parameter = may("sourcePath", "string", "Folder of the workspace that is published; all of it if absent");
const BRANCH: Parameter = may("defaultBranch", "string", "Branch that is pushed; `main` if absent");
const MESSAGE: Parameter = may("gitCommitMessage", "string", "Message of the commit; `Initial commit` if absent");
const AUTHOR_NAME: Parameter = may("gitAuthorName", "string", "Author of the commit");
const AUTHOR_EMAIL: Parameter = may("gitAuthorEmail", "string", "Address of the author");
const TOKEN: Parameter = may("token", "string", "Token to use instead of the host's, usually `${{ secrets.… }}`");
const PATH: Parameter = needs("path", "string", "A file of the workspace");
const METHOD: Parameter = needs("method", "string", "`GET`, `POST` and so on");
const QUERY: Parameter = may("params", "object", "Parameters of the query");
const HEADERS: Parameter = may("headers", "object", "Headers; secrets may stand in them");
const BODY: Parameter = may("body", "any", "A text, or what is sent as JSON");
const GO_ON: Parameter = may("continueOnBadResponse", "boolean", "An answer of 400 or more is no error");
const ANSWER: &[Parameter] = &[
    may("code", "number", "Status of the answer"),
    may("headers", "object", "Its headers"),
    may("body", "any", "Its body, read as JSON where it is"),
];
const PUBLISHED: &[Parameter] = &[
    may("remoteUrl", "string", "Address to clone from"),
    may("repoContentsUrl", "string", "Address of the files, for `catalog:register`"),
    may("commitHash", "string", "The commit that was pushed"),
];
const PULL_REQUEST: &[Parameter] = &[
    may("remoteUrl", "string", "Address of the request"),
    may("pullRequestNumber", "number", "Its number"),
    may("targetBranchName", "string", "Branch that it asks to change"),
];
const MERGE_REQUEST: &[Parameter] = &[
    may("mergeRequestUrl", "string", "Address of the request"),
    may("targetBranchName", "string", "Branch that it asks to change"),
    may("projectPath", "string", "Path of the project"),
    may("projectid", "string", "The same, under the name that older templates use"),
];
const EXPRESSION: Parameter = needs("expression", "string", "The expression, as jsonata.org describes it");
const ASKED: &[Parameter] = &[may("result", "any", "What it comes to; null where that is nothing")];
const TEMPLATING: [Parameter; 8] = [
    VALUES,
    may("copyWithoutTemplating", "array", "Globs of files whose content is copied; their names are rendered"),
    may("copyWithoutRender", "array", "Globs of files that are copied, names and contents"),
    may("templateFileExtension", "any", "Only files with this ending are rendered, and lose it; `true` is `.njk`"),
    may("cookiecutterCompat", "boolean", "Tags are `{{ }}` and values are called `cookiecutter`"),
    may("trimBlocks", "boolean", "Drops the line break after a block, and the white space before one"),
    may("lstripBlocks", "boolean", "Drops the white space before a block"),
    may("replace", "boolean", "Files that are there already are replaced"),
];

pub const ACTIONS: &[Action] = &[
    Action {
        id: "approval",
        description: "Asks people, and goes on when they have agreed. The run waits, for days if need be.",
        input: &[
            needs("by", "array", "References of users and groups who decide"),
            may("need", "any", "`any` (the usual), `all` of those named, or how many people"),
            may("title", "string", "What they agree to, in words; the title of the run if absent"),
            may("fourEyes", "boolean", "Whoever started the run does not decide; true if absent"),
            may("expires", DURATION, "How long they are asked, such as `24h`; `7d` if absent"),
        ],
        output: &[may("approvedBy", "array", "Names of those who agreed")],
        effect: Effect::None,
    },
    Action {
        id: "catalog:delete",
        description: "Takes an entity out of the catalog that no source declares. One that is gone stays so.",
        input: &[needs("entityRef", "string", "The entity")],
        output: &[],
        effect: Effect::Lookup,
    },
    Action {
        id: "catalog:fetch",
        description: "Reads one entity of the catalog, or several.",
        input: &[
            may("entityRef", "string", "The entity"),
            may("entityRefs", "array", "Several entities, instead"),
            may("optional", "boolean", "An entity that is not there is null, and no error"),
            may("defaultKind", "string", "Kind of references without one"),
            may("defaultNamespace", "string", "Namespace of references without one"),
        ],
        output: &[may("entity", "object", "The entity"), may("entities", "array", "The entities, in order")],
        effect: Effect::None,
    },
    Action {
        id: "catalog:register",
        description: "Adds the descriptor of a repository to the catalog, and waits until it has been read.",
        input: &[
            may("catalogInfoUrl", "string", "Address of the descriptor"),
            may("repoContentsUrl", "string", "Address of the files, instead; from a step that publishes"),
            may("catalogInfoPath", "string", "Path of the descriptor there; `/catalog-info.yaml` if absent"),
            may("optional", "boolean", "A descriptor that is not there is no error"),
        ],
        output: &[
            may("entityRef", "string", "The first entity that was declared"),
            may("catalogInfoUrl", "string", "Address of the descriptor"),
        ],
        effect: Effect::Lookup,
    },
    Action {
        id: "catalog:resource",
        description: "Puts an entity into the catalog, with the rights of whoever started the run: what was made, \
            with its owner, and when it goes.",
        input: &[
            needs("entity", "object", "The descriptor"),
            may("ttl", DURATION, "How long it lives, such as `7d`; for ever if absent"),
            may("cleanUp", "object", "`action` that is run on it at its end, and `values` for its form"),
        ],
        output: &[may("entityRef", "string", "The entity"), may("expiresAt", "string", "When it goes")],
        effect: Effect::Lookup,
    },
    Action {
        id: "catalog:update",
        description: "Changes a few fields of an entity, with the rights of whoever started the run: in the catalog \
            when the API owns it, by a pull request when its file is in a repository on GitHub or GitLab. What is \
            not given stays; where nothing would change, nothing is written.",
        input: &[
            needs("entity", "string", "The entity"),
            may("annotations", "object", "Annotations by name; null takes one away"),
            may("labels", "object", "Labels by name; null takes one away"),
            may("tags", "array", "All tags that it is to have; an empty list takes them away"),
            may("owner", "string", "Who owns it"),
            may("lifecycle", "string", "Its lifecycle"),
            may("title", "string", "Its title; an empty text takes it away"),
            may("description", "string", "Its description; an empty text takes it away"),
            may("branchName", "string", "Branch of the pull request; made from the run if absent"),
            may("pullRequestTitle", "string", "Title of the pull request; says what changes if absent"),
            may("pullRequestDescription", "string", "Its description; names the run if absent"),
            TOKEN,
        ],
        output: &[
            may("entityRef", "string", "The entity"),
            may("changed", "boolean", "False where it said so already"),
            may("pullRequestUrl", "string", "Address of the pull request, where one was opened"),
            may("remoteUrl", "string", "The same, under the name that other steps use"),
            may("pullRequestNumber", "number", "Its number, on GitHub"),
            may("targetBranchName", "string", "Branch that it asks to change"),
        ],
        effect: Effect::Lookup,
    },
    Action {
        id: "catalog:write",
        description: "Writes an entity as a descriptor into the workspace.",
        input: &[
            needs("entity", "object", "The entity"),
            may("filePath", "string", "The file; `catalog-info.yaml` if absent"),
        ],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "condition",
        description: "Goes on where something holds, and fails with a message where it does not.",
        input: &[
            needs("holds", "any", "An expression; false, 0, null and an empty text do not hold"),
            may("message", "string", "Why the run ends here"),
        ],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "debug:log",
        description: "Writes to the log of the run.",
        input: &[
            may("message", "string", "What to write"),
            may("listWorkspace", "any", "Also lists the files of the workspace; `with-contents` shows them"),
        ],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "debug:wait",
        description: "Waits, at most ten minutes.",
        input: &[
            may("minutes", "number", "Minutes"),
            may("seconds", "number", "Seconds, on top"),
            may("milliseconds", "number", "Milliseconds, on top"),
        ],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "fetch:plain",
        description: "Copies a folder into the workspace.",
        input: &[URL, TARGET, TOKEN],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "fetch:plain:file",
        description: "Copies one file into the workspace.",
        input: &[URL, needs("targetPath", "string", "The file that is written"), TOKEN],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "fetch:template",
        description: "Copies a folder into the workspace, with names and contents rendered.",
        input: &[
            URL,
            TARGET,
            TEMPLATING[0],
            TEMPLATING[1],
            TEMPLATING[2],
            TEMPLATING[3],
            TEMPLATING[4],
            TEMPLATING[5],
            TEMPLATING[6],
            TEMPLATING[7],
            TOKEN,
        ],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "fetch:template:file",
        description: "Copies one file into the workspace, rendered.",
        input: &[
            URL,
            needs("targetPath", "string", "The file that is written"),
            TEMPLATING[0],
            TEMPLATING[4],
            TEMPLATING[5],
            TEMPLATING[6],
            TEMPLATING[7],
            TOKEN,
        ],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "fs:delete",
        description: "Removes files and folders of the workspace, by path or glob.",
        input: &[needs("files", "array", "Paths and globs")],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "fs:readdir",
        description: "Lists folders of the workspace.",
        input: &[
            needs("paths", "array", "The folders"),
            may("recursive", "boolean", "Also what lies in folders within them"),
        ],
        output: &[
            may("files", "array", "`{ name, path, fullPath }` of each file"),
            may("folders", "array", "The same of each folder"),
        ],
        effect: Effect::None,
    },
    Action {
        id: "fs:rename",
        description: "Moves files and folders of the workspace.",
        input: &[needs("files", "array", "A list of `{ from, to, overwrite }`")],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "github:actions:dispatch",
        description: "Starts a workflow of GitHub Actions.",
        input: &[
            REPO_URL,
            needs("workflowId", "string", "Id or file name of the workflow"),
            needs("branchOrTagName", "string", "What it runs on"),
            may("workflowInputs", "object", "Its inputs"),
            TOKEN,
        ],
        output: &[],
        effect: Effect::Once,
    },
    Action {
        id: "github:workflow",
        description: "Starts a workflow of GitHub Actions and follows it to its end: its jobs and steps are told as \
            they go, and a run that is cancelled cancels it.",
        input: &[
            CONNECTOR,
            needs("repository", "string", "As `owner/name`"),
            needs("workflow", "string", "File of the workflow, such as `deploy.yml`, or its id"),
            may("ref", "string", "Branch or tag; `main` if absent"),
            may("inputs", "object", "Inputs of the workflow"),
            TIMEOUT,
        ],
        output: &[
            may("runId", "number", "Id of the run over there"),
            may("url", "string", "Its page"),
            may("conclusion", "string", "As GitHub says it; `success`"),
        ],
        effect: Effect::Once,
    },
    Action {
        id: "gitlab:pipeline",
        description: "Starts a pipeline of GitLab and follows it to its end: its jobs are told as they go, with what \
            they print, and a run that is cancelled cancels it. It gets the variable `PORTAL_CALL`.",
        input: &[
            CONNECTOR,
            needs("project", "string", "Path or id of the project"),
            may("ref", "string", "Branch or tag; `main` if absent"),
            may("variables", "object", "Variables of the pipeline"),
            TIMEOUT,
        ],
        output: &[
            may("pipelineId", "number", "Id of the pipeline"),
            may("url", "string", "Its page"),
            may("status", "string", "As GitLab says it; `success`"),
        ],
        effect: Effect::Lookup,
    },
    Action {
        id: "http:backstage:request",
        description: "Sends a request to Backstage, or to an address.",
        input: &[needs("path", "string", "A path of Backstage, or an address"), METHOD, QUERY, HEADERS, BODY, GO_ON],
        output: ANSWER,
        effect: Effect::Once,
    },
    Action {
        id: "http:request",
        description: "Sends a request.",
        input: &[needs("url", "string", "The address"), METHOD, QUERY, HEADERS, BODY, GO_ON],
        output: ANSWER,
        effect: Effect::Once,
    },
    Action {
        id: "jenkins:build",
        description: "Starts a build of Jenkins and follows it: from the queue through its console to its result. A \
            run that is cancelled stops it.",
        input: &[
            CONNECTOR,
            needs("job", "string", "Name of the job, with its folders: `team/deploy`"),
            may("parameters", "object", "Parameters of the build"),
            TIMEOUT,
        ],
        output: &[
            may("number", "number", "Number of the build"),
            may("url", "string", "Its page"),
            may("result", "string", "As Jenkins says it; `SUCCESS`"),
        ],
        effect: Effect::Once,
    },
    Action {
        id: "kubernetes:apply",
        description: "Applies manifests to a cluster (server-side apply): all of them dry first, then in earnest, \
            and waits until they are ready.",
        input: &[
            CONNECTOR,
            needs("manifests", "any", "A list of objects, or their YAML"),
            may("namespace", "string", "Of objects that name none; `default` if absent"),
            may("force", "boolean", "Takes over fields that others manage"),
            may("wait", "boolean", "Until the objects are ready; true if absent"),
            TIMEOUT,
        ],
        output: &[may("objects", "array", "`kind`, `name`, `namespace` and `uid` of each")],
        effect: Effect::Idempotent,
    },
    Action {
        id: "kubernetes:job",
        description: "Runs a job on a cluster, follows what its pods print, and waits for its end. A run that is \
            cancelled deletes it.",
        input: &[
            CONNECTOR,
            may("image", "string", "Image of its container"),
            may("command", "array", "What is run in it"),
            may("env", "object", "Environment of the container; a secret in it stands in the cluster as it is"),
            may("serviceAccount", "string", "Whom it runs as"),
            may("namespace", "string", "`default` if absent"),
            may("spec", "object", "Instead of all that: `spec` of a batch/v1 Job"),
            may("ttl", "number", "Seconds that it is kept after its end; 3600 if absent"),
            TIMEOUT,
        ],
        output: &[may("name", "string", "Name of the job"), may("pods", "array", "Names of its pods")],
        effect: Effect::Idempotent,
    },
    Action {
        id: "notification:send",
        description: "Tells users, groups or everybody something; they find it under the bell.",
        input: &[
            needs("recipients", "string", "`entity` or `broadcast`"),
            may("entityRefs", "array", "Users and groups, of `entity`"),
            needs("title", "string", "What it is about; at most 200 characters"),
            may("info", "string", "More about it"),
            may("link", "string", "Where it leads: a path of the portal, or an address"),
            may("severity", "string", "`critical`, `high`, `normal`, if absent, or `low`"),
            may("topic", "string", "What it belongs to"),
            may("scope", "string", "A newer one of the same scope takes the place of the older"),
            may("optional", "boolean", "A notification that cannot be sent is no error"),
        ],
        output: &[],
        effect: Effect::Idempotent,
    },
    Action {
        id: "notify",
        description: "Sends a message by a channel of the portal: to Slack, to Teams, or by e-mail. It is sent in the \
            background, and again where it has to be; the step does not wait for it.",
        input: &[
            needs("channel", "string", "Name of a channel"),
            needs("title", "string", "What it is about; at most 200 characters"),
            may("text", "string", "More about it, as Markdown"),
            may("link", "string", "Where it leads: a path of the portal, or an address"),
            may("to", "array", "Of e-mail, who gets it: addresses, users and groups of the catalog"),
        ],
        output: &[may("count", "number", "How many messages are sent")],
        effect: Effect::Idempotent,
    },
    Action {
        id: "orchestrator:deploy",
        description: "Hands a Score file and an environment to an orchestrator: it plans, people agree to that plan \
            where they are asked, and it is deployed. A plan that has changed since is asked for anew.",
        input: &[
            CONNECTOR,
            needs("score", "any", "The Score file, as an object or as YAML; `./score.yaml` reads the workspace"),
            needs("environment", "string", "Where it goes"),
            may("project", "string", "For orchestrators that have projects"),
            may("image", "string", "Image of containers whose image is `.`"),
            may("params", "object", "What else the orchestrator is told"),
            may(
                "approval",
                "object",
                "`by`, `need`, `fourEyes`, `expires` as of the step `approval`: who agrees to the plan",
            ),
            TIMEOUT,
        ],
        output: &[
            may("deploymentId", "string", "As the orchestrator names it"),
            may("plan", "string", "What it changed"),
            may("planHash", "string", "SHA-256 of the plan"),
            may("outputs", "object", "What it puts out"),
            may("url", "string", "Its page"),
        ],
        effect: Effect::Idempotent,
    },
    Action {
        id: "publish:git",
        description: "Pushes the workspace as the first commit of a branch, to any repository that is empty there.",
        input: &[
            needs("remoteUrl", "string", "Address of the repository"),
            SOURCE,
            BRANCH,
            MESSAGE,
            AUTHOR_NAME,
            AUTHOR_EMAIL,
            TOKEN,
        ],
        output: PUBLISHED,
        effect: Effect::Lookup,
    },
    Action {
        id: "publish:gitea",
        description: "Makes a repository on Gitea or Forgejo and pushes the workspace to it.",
        input: &[
            REPO_URL,
            may("description", "string", "Of the repository"),
            may("repoVisibility", "string", "`private`, if absent, or `public`"),
            SOURCE,
            BRANCH,
            MESSAGE,
            AUTHOR_NAME,
            AUTHOR_EMAIL,
            TOKEN,
        ],
        output: PUBLISHED,
        effect: Effect::Lookup,
    },
    Action {
        id: "publish:github",
        description: "Makes a repository on GitHub and pushes the workspace to it.",
        input: &[
            REPO_URL,
            may("description", "string", "Of the repository"),
            may("homepage", "string", "Of the repository"),
            may("repoVisibility", "string", "`private`, if absent, `internal` or `public`"),
            may("topics", "array", "Of the repository"),
            may("protectDefaultBranch", "boolean", "Changes to the branch need a review"),
            may("protectEnforceAdmins", "boolean", "Those of administrators as well; so if absent"),
            may("requiredApprovingReviewCount", "number", "Reviews that are needed; 1 if absent"),
            may("requireCodeOwnerReviews", "boolean", "They must be of owners"),
            may("deleteBranchOnMerge", "boolean", "As GitHub has it"),
            may("allowMergeCommit", "boolean", "As GitHub has it"),
            may("allowSquashMerge", "boolean", "As GitHub has it"),
            may("allowRebaseMerge", "boolean", "As GitHub has it"),
            may("allowAutoMerge", "boolean", "As GitHub has it"),
            may("hasIssues", "boolean", "As GitHub has it"),
            may("hasWiki", "boolean", "As GitHub has it"),
            may("hasProjects", "boolean", "As GitHub has it"),
            SOURCE,
            BRANCH,
            MESSAGE,
            AUTHOR_NAME,
            AUTHOR_EMAIL,
            TOKEN,
        ],
        output: PUBLISHED,
        effect: Effect::Lookup,
    },
    Action {
        id: "publish:github:pull-request",
        description: "Puts the workspace on a branch of a repository on GitHub and opens a pull request.",
        input: &[
            REPO_URL,
            needs("branchName", "string", "The branch that is made"),
            needs("title", "string", "Of the request"),
            may("description", "string", "Of the request; Markdown"),
            may("targetBranchName", "string", "What it asks to change; the default branch if absent"),
            SOURCE,
            TARGET_IN_REPO,
            may("commitMessage", "string", "Message of the commit; the title if absent"),
            may("draft", "boolean", "It is a draft"),
            may("update", "boolean", "A branch that is there already is moved on"),
            may("reviewers", "array", "People who are asked for a review"),
            may("teamReviewers", "array", "Teams that are asked for one"),
            TOKEN,
        ],
        output: PULL_REQUEST,
        effect: Effect::Lookup,
    },
    Action {
        id: "publish:gitlab",
        description: "Makes a project on GitLab and pushes the workspace to it.",
        input: &[
            REPO_URL,
            may("repoVisibility", "string", "`private`, if absent, `internal` or `public`"),
            may("topics", "array", "Of the project"),
            may("settings", "object", "Further settings, as the API of GitLab names them"),
            SOURCE,
            BRANCH,
            MESSAGE,
            AUTHOR_NAME,
            AUTHOR_EMAIL,
            TOKEN,
        ],
        output: &[PUBLISHED[0], PUBLISHED[1], PUBLISHED[2], may("projectId", "number", "Id of the project")],
        effect: Effect::Lookup,
    },
    Action {
        id: "publish:gitlab:merge-request",
        description: "Puts the workspace on a branch of a project on GitLab and opens a merge request.",
        input: &[
            REPO_URL,
            needs("branchName", "string", "The branch that is made"),
            needs("title", "string", "Of the request"),
            may("description", "string", "Of the request; Markdown"),
            may("targetBranchName", "string", "What it asks to change; the default branch if absent"),
            SOURCE,
            TARGET_IN_REPO,
            may("commitAction", "string", "`create`, if absent, `update` or `delete`"),
            may("commitMessage", "string", "Message of the commit; the title if absent"),
            may("removeSourceBranch", "boolean", "The branch goes when the request is merged"),
            TOKEN,
        ],
        output: MERGE_REQUEST,
        effect: Effect::Lookup,
    },
    Action {
        id: "roadiehq:utils:fs:append",
        description: "Adds to the end of a file.",
        input: &[PATH, needs("content", "any", "What is added")],
        output: &[may("path", "string", "The file")],
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:fs:parse",
        description: "Reads a file as JSON or YAML, or as text.",
        input: &[PATH, may("parser", "string", "`json`, `yaml` or `multiyaml`; text if absent")],
        output: &[may("content", "any", "What the file holds")],
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:fs:replace",
        description: "Replaces texts in files.",
        input: &[needs("files", "array", "A list of `{ file, find, replaceWith, matchRegex }`")],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:fs:write",
        description: "Writes a file.",
        input: &[
            PATH,
            needs("content", "any", "What it holds"),
            may("preserveFormatting", "boolean", "A text is written as it is, although it is JSON"),
        ],
        output: &[may("path", "string", "The file")],
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:jsonata",
        description: "Asks a JSONata expression of a value.",
        input: &[needs("data", "any", "The value"), EXPRESSION],
        output: ASKED,
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:jsonata:json:transform",
        description: "Asks a JSONata expression of a JSON file.",
        input: &[PATH, EXPRESSION],
        output: ASKED,
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:jsonata:yaml:transform",
        description: "Asks a JSONata expression of a YAML file.",
        input: &[PATH, EXPRESSION, may("as", "string", "`string`, if absent: the answer is YAML; `object`: a value")],
        output: ASKED,
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:merge",
        description: "Merges an object into a JSON or YAML file.",
        input: &[
            PATH,
            needs("content", "any", "The object, or JSON or YAML of one"),
            may("mergeArrays", "boolean", "Lists are put together, not replaced"),
        ],
        output: &[may("path", "string", "The file")],
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:serialize:json",
        description: "Makes JSON of a value.",
        input: &[needs("data", "any", "The value"), may("space", "any", "Indent")],
        output: &[may("serialized", "string", "The text")],
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:serialize:yaml",
        description: "Makes YAML of a value.",
        input: &[needs("data", "any", "The value")],
        output: &[may("serialized", "string", "The text")],
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:sleep",
        description: "Waits, at most ten minutes.",
        input: &[needs("amount", "number", "Seconds")],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "roadiehq:utils:zip",
        description: "Packs a file, or what is in a folder, into a zip archive.",
        input: &[
            needs("path", "string", "The file or folder of the workspace; `.` is all of it"),
            needs("outputPath", "string", "The archive that is written"),
        ],
        output: &[may("outputPath", "string", "The archive")],
        effect: Effect::None,
    },
    Action {
        id: "template",
        description: "Runs a template and waits for its end, with the rights of whoever started this run.",
        input: &[
            needs("template", "string", "Reference of the template"),
            may("values", "object", "Answers to its form"),
            may("wait", "boolean", "For its end; true if absent"),
            may("timeout", DURATION, "How long its end is waited for; `24h` if absent"),
        ],
        output: &[
            may("runId", "number", "Id of its run"),
            may("url", "string", "Page of its run"),
            may("output", "object", "What it put out"),
        ],
        effect: Effect::Lookup,
    },
    Action {
        id: "wait",
        description: "Lets time pass. Unlike `debug:wait` it holds nothing up, and outlives a restart.",
        input: &[needs("for", DURATION, "How long, such as `15m`; at most `90d`")],
        output: &[],
        effect: Effect::None,
    },
    Action {
        id: "webhook",
        description: "Asks a connector to do something: a POST signed as Standard Webhooks, answered at once, or \
            later at the `callback_url` that comes with it.",
        input: &[
            CONNECTOR,
            may("path", "string", "Below its address"),
            may("type", "string", "What is asked, as `type` of the message; `action.run` if absent"),
            may("body", "any", "What is sent as `data`; secrets may stand in it"),
            may("waitForCallback", "boolean", "The answer only says that it has begun; its end is told later"),
            TIMEOUT,
        ],
        output: &[
            may("code", "number", "Status of an answer that came at once"),
            may("body", "any", "That answer, read as JSON where it is"),
        ],
        effect: Effect::Idempotent,
    },
    Action {
        id: "workspace:template",
        description: "Renders a folder of the workspace into another.",
        input: &[
            needs("sourcePath", "string", "The folder that is rendered"),
            TARGET,
            TEMPLATING[0],
            TEMPLATING[1],
            TEMPLATING[2],
            TEMPLATING[3],
            TEMPLATING[4],
            TEMPLATING[5],
            TEMPLATING[6],
            TEMPLATING[7],
        ],
        output: &[],
        effect: Effect::None,
    },
];
