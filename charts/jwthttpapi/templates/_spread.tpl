{{- /* How replicas are spread: as the values say, each constraint with the Deployment's selector unless it has one; else, of
several replicas, over zones and nodes as far as there are any, those of a new version for themselves. */ -}}
{{- define "jwthttpapi.spread" -}}
{{- $constraints := .Values.topologySpreadConstraints -}}
{{- if and (not $constraints) (gt (int .Values.replicas) 1) -}}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" -}}
{{- $constraints = append $constraints (dict "topologyKey" $key "maxSkew" 1 "whenUnsatisfiable" "ScheduleAnyway" "matchLabelKeys" (list "pod-template-hash")) -}}
{{- end -}}
{{- end -}}
{{- $selector := dict "matchLabels" (include "jwthttpapi.selector" . | fromYaml) -}}
{{- $complete := list -}}
{{- range $constraints -}}
{{- $complete = append $complete (kindIs "invalid" .labelSelector | ternary (set (deepCopy .) "labelSelector" $selector) .) -}}
{{- end -}}
{{- toYaml $complete -}}
{{- end }}
