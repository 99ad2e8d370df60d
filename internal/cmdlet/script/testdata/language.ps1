<# Every construct of the language once. #>
$ErrorActionPreference = 'Stop'
$a = $b = 1, -2, 0x1F, 1.5MB; $names = @('a'; 'b'
  'c')
Get-Mailbox -ResultSize:Unlimited -Filter "Name -eq '$($a[-1])'" `
  | Where-Object { $_.Name -clike 'a*' -and -not ($_.Size -gt 1KB -or $_.'Old Name' -in $names) } |
  ForEach-Object { Set-Mailbox $_.Identity -Name "new-${a}`t`u{1F511} $b" } # all of them
Get-Mailbox | Select-Object Name, @{n='Size'; e={ $_.Size }}, ${odd name}.x | Export-It -Path out-$a.csv
if-not-a-keyword -- -dash `
  'it''s' ‘typographic’ “marks” it`s a[0] 50% *@contoso.example
@(Get-It; $a).Count -eq @{ a = Get-It | ft; 'b c' = $null; $d = 5 }.a.b
"$a $? $_ $(Get-It; 'x') `$5" -ne !$? -xor $true
