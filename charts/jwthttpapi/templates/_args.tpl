{{- /* The command line without extraArgs: every flag of `jwthttpapi run`, in the order of values.yaml. A new flag gets its value there, its rule in
values.schema.json and its line here; the tests name what is missing. */ -}}
{{- define "jwthttpapi.args" -}}
{{- $listen := contains ":" .Values.listenAddress | ternary (printf "[%s]" .Values.listenAddress) .Values.listenAddress -}}
- run
{{- range .Values.allowedFunctions }}
- {{ printf "--allowed-functions=%s" . | quote }}
{{- end }}
{{- range .Values.passableRoles }}
- {{ printf "--passable-roles=%s" . | quote }}
{{- end }}
- --default-invocation={{ .Values.defaultInvocation }}
{{- with .Values.defaultTags }}
{{- $tags := list }}
{{- range $key, $value := . }}
{{- $tags = append $tags (printf "%s=%s" $key $value) }}
{{- end }}
- {{ printf "--default-tags=%s" (join "," $tags) | quote }}
{{- end }}
{{- with .Values.roles.permissionsBoundary }}
- {{ printf "--permissions-boundary=%s" . | quote }}
{{- end }}
- {{ printf "--role-path=%s" .Values.roles.path | quote }}
{{- with .Values.aws.region }}
- {{ printf "--aws-region=%s" . | quote }}
{{- end }}
{{- with .Values.aws.endpointUrl }}
- {{ printf "--aws-endpoint-url=%s" . | quote }}
{{- end }}
{{- with .Values.clusterId }}
- {{ printf "--cluster-id=%s" . | quote }}
{{- end }}
{{- with .Values.watchNamespaces }}
- {{ printf "--watch-namespaces=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.reclaimFrom }}
- {{ printf "--reclaim-from=%s" (join "," .) | quote }}
{{- end }}
- --delete-orphans={{ .Values.deleteOrphans }}
- --resync={{ .Values.resync }}
- --list-settle={{ .Values.settle.list }}
- --iam-settle={{ .Values.settle.iam }}
- --deploy-settle={{ .Values.settle.deploy }}
- --apigateway-rate={{ .Values.budget.apiGateway.rate }}
- --apigateway-burst={{ .Values.budget.apiGateway.burst }}
- --lambda-rate={{ .Values.budget.lambda.rate }}
- --iam-rate={{ .Values.budget.iam.rate }}
- --logs-rate={{ .Values.budget.logs.rate }}
- --concurrency={{ .Values.concurrency }}
- --leader-elect={{ .Values.leaderElection }}
- --lease-namespace={{ .Release.Namespace }}
- {{ printf "--listen=%s:8080" $listen | quote }}
- --log-format={{ .Values.logFormat }}
- {{ printf "--log-level=%s" .Values.logLevel | quote }}
{{- end }}
