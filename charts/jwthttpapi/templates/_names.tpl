{{- define "jwthttpapi.name" -}}
{{- if contains "jwthttpapi" .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-jwthttpapi" .Release.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "jwthttpapi.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "jwthttpapi.name" .) }}
{{- end }}

{{- define "jwthttpapi.selector" -}}
app.kubernetes.io/name: jwthttpapi
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "jwthttpapi.labels" -}}
{{ include "jwthttpapi.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
