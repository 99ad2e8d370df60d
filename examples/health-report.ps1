# Writes how all root keys are, as JSON for programs and as CSV for people, and fails unless every
# policy is healthy.
#
# Who        anybody who may read policies: an account of its own for the scheduler.
# How often  nightly. What it shows is what the service sees all the time; the policies for all
#            workloads are looked at now, in their vaults.
# Needs      the folder of the reports. A report of the same day is replaced.
# Ends with  exit code 0 if all is well, else with an error; warnings say what is not.

$reports = '.'

$ErrorActionPreference = 'Stop'
$today = Get-Date -Format yyyy-MM-dd

$null = Test-M365DataAtRestEncryptionPolicy
$keys = @(Get-CKKeyHealth | Select-Object Policy, Family, PolicyState, PolicySince, RootKey, State, Since, Reason, Hint, VersionInUse, LastChecked)
$keys | ConvertTo-Json -AsArray | Out-File "$reports/health-$today.json" -Force
$keys | ConvertTo-Csv -NoTypeInformation | Out-File "$reports/health-$today.csv" -Force

$trouble = @($keys | Where-Object { $_.State -ne 'Healthy' })
$trouble | ForEach-Object { Write-Warning "$($_.Policy) is $($_.PolicyState): $($_.RootKey) is $($_.State) since $($_.Since): $($_.Reason). $($_.Hint)" }
$trouble | Select-Object -First 1 | ForEach-Object { Write-Error "$($trouble.Count) of $($keys.Count) root keys are not healthy" }
