{{- /* Of everything in the cluster, of a Service too, whose name has no dot. That it begins with a letter is checked. */ -}}
{{- define "jwthttpapi.name" -}}
{{- $name := contains "jwthttpapi" .Release.Name | ternary .Release.Name (printf "%s-jwthttpapi" .Release.Name) -}}
{{- .Values.fullnameOverride | default $name | replace "." "-" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "jwthttpapi.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "jwthttpapi.name" .) }}
{{- end }}

{{- define "jwthttpapi.image" -}}
{{- $tag := printf ":%s" (.Values.image.tag | default .Chart.AppVersion) -}}
{{- $digest := .Values.image.digest -}}
{{- .Values.image.repository }}{{ $digest | empty | ternary $tag (printf "@%s" $digest) }}
{{- end }}

{{- define "jwthttpapi.selector" -}}
app.kubernetes.io/name: jwthttpapi
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "jwthttpapi.labels" -}}
{{ include "jwthttpapi.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}
