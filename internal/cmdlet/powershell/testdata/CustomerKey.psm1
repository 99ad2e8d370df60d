# The commands of customerkey for PowerShell 7.3 and later. Written by: ck powershell-module
#
# Each function sends its parameters to the service's admin endpoint, which decides and does
# everything; the commands that you may not run answer that they do not exist. The commands on
# vaults and keys are those of the module Az, pointed at the service's addresses.
#
# This text was made by a program and NOT executed where that program is tested, for there is no
# PowerShell there. Its requests were held against the endpoint. Tell us what does not work.

$script:ClientId = 'fb78d390-0c51-40cd-8e17-fdbfab77341b'

Set-StrictMode -Version 3.0

# Who is signed in, and where: $null, or a hash table that Connect-CustomerKey made.
$script:Connection = $null

# The longest that a throttled request waits before it is sent again, in seconds.
$script:LongestPause = 30

<#
.SYNOPSIS
Sign in to an organization of a customerkey service.
.DESCRIPTION
Without -AccessToken it shows a code, to be entered in a browser. The sign-in holds for this PowerShell session alone.
.PARAMETER Domain
Where the service is, as its operator says it: localhost:8443, or keys.provider.example.
.PARAMETER Organization
Your organization: its domain or its id.
.PARAMETER AccessToken
A token for the service's admin endpoint that you have already.
.PARAMETER CertificateAuthorityFile
PEM file with the certificate authority of the service, where the system does not trust it already.
.EXAMPLE
Connect-CustomerKey -Domain localhost:8443 -Organization contoso.example -CertificateAuthorityFile ./ca.pem
#>
function Connect-CustomerKey {
    [CmdletBinding(DefaultParameterSetName = 'Device')]
    param(
        [Parameter(Mandatory, Position = 0)] [ValidatePattern('^[A-Za-z0-9.-]+(:[0-9]+)?$')] [string] $Domain,
        [Parameter(Mandatory, Position = 1)] [ValidatePattern('^[A-Za-z0-9.-]+$')] [string] $Organization,
        [Parameter(Mandatory, ParameterSetName = 'Token')] [securestring] $AccessToken,
        [string] $CertificateAuthorityFile
    )
    Disconnect-CustomerKey
    $client = New-CustomerKeyClient -CertificateAuthorityFile $CertificateAuthorityFile
    $connection = @{
        Client       = $client
        Service      = "https://outlook.$Domain"
        Login        = "https://login.$Domain/$Organization/oauth2/v2.0"
        Organization = $Organization
        Token        = $null
        Refresh      = $null
        Expires      = [datetime]::MaxValue
    }
    if ($AccessToken) {
        $connection.Token = [System.Net.NetworkCredential]::new('', $AccessToken).Password
    } else {
        Request-CustomerKeyDeviceToken -Connection $connection
    }
    $script:Connection = $connection
}

<#
.SYNOPSIS
Forget who is signed in.
.EXAMPLE
Disconnect-CustomerKey
#>
function Disconnect-CustomerKey {
    [CmdletBinding()]
    param()
    if ($script:Connection) {
        $script:Connection.Client.Dispose()
    }
    $script:Connection = $null
}

# New-CustomerKeyClient makes the HTTP client. A certificate authority of the service's own is
# trusted beside nothing else: names and dates of certificates are checked as always.
function New-CustomerKeyClient {
    param([string] $CertificateAuthorityFile)
    $handler = [System.Net.Http.SocketsHttpHandler]::new()
    $handler.AllowAutoRedirect = $false
    if ($CertificateAuthorityFile) {
        $policy = [System.Security.Cryptography.X509Certificates.X509ChainPolicy]::new()
        $policy.TrustMode = 'CustomRootTrust'
        $policy.RevocationMode = 'NoCheck'
        $policy.CustomTrustStore.ImportFromPemFile((Resolve-Path -LiteralPath $CertificateAuthorityFile).ProviderPath)
        $handler.SslOptions.CertificateChainPolicy = $policy
    }
    $client = [System.Net.Http.HttpClient]::new($handler)
    $client.Timeout = [timespan]::FromMinutes(16)
    $client
}

# Send-CustomerKeyRequest sends one request and returns status, headers and text of the answer.
function Send-CustomerKeyRequest {
    param([System.Net.Http.HttpClient] $Client, [System.Net.Http.HttpRequestMessage] $Request)
    $answer = $Client.SendAsync($Request).GetAwaiter().GetResult()
    try {
        $after = $answer.Headers.RetryAfter
        @{
            Status     = [int] $answer.StatusCode
            RetryAfter = if ($after -and $after.Delta) { [int] $after.Delta.TotalSeconds } else { 0 }
            Text       = $answer.Content.ReadAsStringAsync().GetAwaiter().GetResult()
        }
    } finally {
        $answer.Dispose()
    }
}

# Send-CustomerKeyForm posts a form to the sign-in service.
function Send-CustomerKeyForm {
    param([hashtable] $Connection, [string] $Path, [hashtable] $Form)
    $pairs = [System.Collections.Generic.Dictionary[string, string]]::new()
    foreach ($name in $Form.Keys) {
        $pairs[$name] = [string] $Form[$name]
    }
    $request = [System.Net.Http.HttpRequestMessage]::new([System.Net.Http.HttpMethod]::Post, $Connection.Login + $Path)
    $request.Content = [System.Net.Http.FormUrlEncodedContent]::new($pairs)
    $answer = Send-CustomerKeyRequest -Client $Connection.Client -Request $request
    $answer.Body = $answer.Text | ConvertFrom-Json -AsHashtable
    $answer
}

# Request-CustomerKeyDeviceToken signs in by a code that is entered in a browser (RFC 8628).
function Request-CustomerKeyDeviceToken {
    param([hashtable] $Connection)
    $scope = $Connection.Service + '/.default offline_access'
    $start = Send-CustomerKeyForm -Connection $Connection -Path '/devicecode' -Form @{ client_id = $script:ClientId; scope = $scope }
    if ($start.Status -ne 200) {
        throw "The sign-in cannot begin: $($start.Body['error_description'])"
    }
    Write-Host $start.Body['message']
    $pause = [Math]::Max(1, [int] $start.Body['interval'])
    $until = [datetime]::UtcNow.AddSeconds([int] $start.Body['expires_in'])
    while ([datetime]::UtcNow -lt $until) {
        Start-Sleep -Seconds $pause
        $answer = Send-CustomerKeyForm -Connection $Connection -Path '/token' -Form @{
            client_id = $script:ClientId; device_code = $start.Body['device_code']; grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
        }
        if ($answer.Status -eq 200) {
            Save-CustomerKeyToken -Connection $Connection -Body $answer.Body
            return
        }
        switch ($answer.Body['error']) {
            'authorization_pending' { }
            'slow_down' { $pause += 5 }
            default { throw "The sign-in failed: $($answer.Body['error_description'])" }
        }
    }
    throw 'The sign-in was not finished in time.'
}

function Save-CustomerKeyToken {
    param([hashtable] $Connection, [System.Collections.IDictionary] $Body)
    $Connection.Token = $Body['access_token']
    $Connection.Refresh = $Body['refresh_token']
    $Connection.Expires = [datetime]::UtcNow.AddSeconds([int] $Body['expires_in'] - 60)
}

# Get-CustomerKeyToken returns a token that still holds.
function Get-CustomerKeyToken {
    param([hashtable] $Connection)
    if ([datetime]::UtcNow -ge $Connection.Expires -and $Connection.Refresh) {
        $answer = Send-CustomerKeyForm -Connection $Connection -Path '/token' -Form @{
            client_id = $script:ClientId; refresh_token = $Connection.Refresh; grant_type = 'refresh_token'; scope = $Connection.Service + '/.default offline_access'
        }
        if ($answer.Status -ne 200) {
            throw "You are signed out: $($answer.Body['error_description']) Run Connect-CustomerKey again."
        }
        Save-CustomerKeyToken -Connection $Connection -Body $answer.Body
    }
    $Connection.Token
}

# ConvertTo-CustomerKeyParameter makes of what was bound what the endpoint takes: no common
# parameters, switches as Booleans, times as text in UTC, objects by what identifies them.
function ConvertTo-CustomerKeyParameter {
    param([System.Collections.IDictionary] $Bound, [string[]] $Identities)
    $common = @([System.Management.Automation.Cmdlet]::CommonParameters) + @([System.Management.Automation.Cmdlet]::OptionalCommonParameters)
    $result = [ordered] @{}
    foreach ($name in $Bound.Keys) {
        if ($name -in $common) {
            continue
        }
        $value = $Bound[$name]
        if ($value -is [switch]) {
            $value = [bool] $value
        } elseif ($value -is [datetime]) {
            $value = $value.ToUniversalTime().ToString('o', [cultureinfo]::InvariantCulture)
        } elseif ($name -in $Identities -and $null -ne $value) {
            $value = ConvertTo-CustomerKeyIdentity -Value $value
        }
        $result[$name] = $value
    }
    $result
}

function ConvertTo-CustomerKeyIdentity {
    param([object] $Value)
    foreach ($name in 'Guid', 'Identity', 'Name') {
        if ($Value -isnot [string] -and $Value.PSObject.Properties[$name]) {
            return [string] $Value.$name
        }
    }
    [string] $Value
}

# Invoke-CustomerKeyCommand runs one command in the service and writes what it yields.
function Invoke-CustomerKeyCommand {
    param(
        [System.Management.Automation.PSCmdlet] $Cmdlet,
        [string] $Name,
        [System.Collections.IDictionary] $Bound,
        [string[]] $Identities = @(),
        [string] $Output = '',
        [switch] $Changes,
        [switch] $Forced,
        [bool] $WhatIf = $false
    )
    if (-not $script:Connection) {
        throw 'You are not signed in. Run Connect-CustomerKey first.'
    }
    $parameters = ConvertTo-CustomerKeyParameter -Bound $Bound -Identities $Identities
    if ($Changes) {
        if ($WhatIf) {
            $parameters['WhatIf'] = $true
        } elseif (-not $Forced) {
            $target = @($parameters.Values | Where-Object { $_ -is [string] }) + $script:Connection.Organization | Select-Object -First 1
            if (-not $Cmdlet.ShouldProcess($target, $Name)) {
                return
            }
        }
        $parameters['Confirm'] = $false
    }
    $body = @{ CmdletInput = @{ CmdletName = $Name; Parameters = $parameters } } | ConvertTo-Json -Depth 10 -Compress
    $address = "$($script:Connection.Service)/adminapi/beta/$($script:Connection.Organization)/InvokeCommand"
    while ($address) {
        $page = Send-CustomerKeyPage -Cmdlet $Cmdlet -Name $Name -Address $address -Body $body
        if ($null -eq $page) {
            return
        }
        Write-CustomerKeyPage -Page $page -Output $Output
        $address = $page['@odata.nextLink']
        if ($address -and -not $address.StartsWith($script:Connection.Service + '/')) {
            throw 'The answer goes on at another place than it came from.' # the token would go there
        }
    }
}

# Send-CustomerKeyPage posts the body and returns the decoded answer; $null after an error, which
# it has written. A throttled request was not carried out, so it is sent again.
function Send-CustomerKeyPage {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [string] $Name, [string] $Address, [string] $Body)
    for ($try = 1; ; $try++) {
        $request = [System.Net.Http.HttpRequestMessage]::new([System.Net.Http.HttpMethod]::Post, $Address)
        $request.Headers.Authorization = [System.Net.Http.Headers.AuthenticationHeaderValue]::new('Bearer', (Get-CustomerKeyToken -Connection $script:Connection))
        $request.Headers.Add('X-CmdletName', $Name)
        $request.Headers.Add('client-request-id', [guid]::NewGuid().ToString())
        $request.Headers.Add('Prefer', 'odata.maxpagesize=1000')
        $request.Content = [System.Net.Http.StringContent]::new($Body, [System.Text.Encoding]::UTF8, 'application/json')
        $answer = Send-CustomerKeyRequest -Client $script:Connection.Client -Request $request
        if ($answer.Status -eq 429 -and $try -lt 3 -and $answer.RetryAfter -le $script:LongestPause) {
            Start-Sleep -Seconds ([Math]::Max(1, $answer.RetryAfter))
            continue
        }
        if ($answer.Status -eq 204) {
            return @{ value = @() }
        }
        if ($answer.Status -eq 200) {
            return $answer.Text | ConvertFrom-Json -AsHashtable -Depth 64
        }
        $Cmdlet.WriteError((ConvertTo-CustomerKeyError -Answer $answer -Name $Name))
        return $null
    }
}

# ConvertTo-CustomerKeyError reads an error: "Ex123456|exception type|text" in its details.
function ConvertTo-CustomerKeyError {
    param([hashtable] $Answer, [string] $Name)
    $id, $text, $hint = 'CustomerKey', '', ''
    try {
        $failure = ($Answer.Text | ConvertFrom-Json -AsHashtable -Depth 64)['error']
        $parts = $failure['details'][0]['message'].Split('|', 3)
        $id, $text = $parts[0], $parts[2]
        $hint = $failure['@customerkey.fault']['hint']
    } catch {
        Write-Debug "The answer has no readable error: $_"
    }
    if (-not $text) {
        $text = if ($Answer.Status -eq 403) { "There is no command $Name, or you may not run it." } else { "$Name failed with status $($Answer.Status)." }
    }
    if ($hint) {
        $text = "$text ($hint)"
    }
    $category = switch ($Answer.Status) {
        400 { 'InvalidArgument' }
        401 { 'AuthenticationError' }
        403 { 'PermissionDenied' }
        404 { 'ObjectNotFound' }
        429 { 'LimitsExceeded' }
        default { 'InvalidOperation' }
    }
    [System.Management.Automation.ErrorRecord]::new([System.InvalidOperationException]::new($text), $id, $category, $Name)
}

# Write-CustomerKeyPage writes the warnings and the objects of one answer.
function Write-CustomerKeyPage {
    param([System.Collections.IDictionary] $Page, [string] $Output)
    foreach ($warning in @($Page['@adminapi.warnings'])) {
        if ($warning) {
            Write-Warning $warning
        }
    }
    if ($Page['@adminapi.confirmationmessage']) {
        foreach ($line in $Page['@adminapi.confirmationmessage'].Split("`n")) {
            Write-Host "What if: $line"
        }
    }
    foreach ($item in @($Page['value'])) {
        $object = ConvertTo-CustomerKeyObject -Value $item
        if ($Output) {
            $object.PSObject.TypeNames.Insert(0, "CustomerKey.$Output")
        }
        $object
    }
}

# ConvertTo-CustomerKeyObject leaves out the annotations, whose names have an @.
function ConvertTo-CustomerKeyObject {
    param([object] $Value)
    if ($Value -is [System.Collections.IDictionary]) {
        $clean = [ordered] @{}
        foreach ($name in $Value.Keys) {
            if (-not $name.Contains('@')) {
                $clean[$name] = ConvertTo-CustomerKeyObject -Value $Value[$name]
            }
        }
        return [pscustomobject] $clean
    }
    if ($Value -is [System.Collections.IList] -and $Value -isnot [string]) {
        return , @($Value | ForEach-Object { ConvertTo-CustomerKeyObject -Value $_ })
    }
    $Value
}

function Set-DataEncryptionPolicy {
    <#
    .SYNOPSIS
    Refresh, replace keys, rename, disable, or request a purge.
    .DESCRIPTION
    -Refresh takes the newest enabled versions of the policy's two root keys, after they were rolled in their vaults. -Replace takes two other root keys; one of them may be one that the policy has. Either way new content is under the new keys at once and old content follows in the background; the old keys are needed until it has: see SafeToRetire. A disabled policy takes no more mailboxes and keeps those it has. The command asks before it changes anything: -Confirm:$false skips that.
    .PARAMETER Identity
    Name, GUID or distinguished name of the policy, or the DataEncryptionPolicyID of a mailbox.
    .PARAMETER Refresh
    Take the newest versions of both root keys.
    .PARAMETER Replace
    Swap the root keys for those of -AzureKeyIDs.
    .PARAMETER AzureKeyIDs
    The URIs of the two new root keys.
    .PARAMETER PermanentDataPurgeRequested
    Ask that everything under the policy is destroyed for good. From then on it takes no more mailboxes.
    .PARAMETER PermanentDataPurgeReason
    Why.
    .PARAMETER PermanentDataPurgeContact
    Whom to ask about it; needed with -PermanentDataPurgeRequested.
    .PARAMETER Enabled
    Whether the policy can be assigned.
    .PARAMETER Name
    A new name, unique among mailbox policies.
    .PARAMETER Description
    A new description.
    .PARAMETER Force
    Do not ask; with a purge: also if a vault of the policy has been deleted.
    .PARAMETER DomainController
    Reserved; has no effect.
    .EXAMPLE
    Set-DataEncryptionPolicy -Identity USA_mailboxes -Refresh -Confirm:$false
    .EXAMPLE
    Set-DataEncryptionPolicy -Identity USA_mailboxes -Replace -AzureKeyIDs https://contoso-north.vault.localhost:8443/keys/root1,https://contoso-south.vault.localhost:8443/keys/root2
    .EXAMPLE
    Set-DataEncryptionPolicy -Identity USA_mailboxes -Enabled $false
    .EXAMPLE
    Set-DataEncryptionPolicy -Identity USA_mailboxes -PermanentDataPurgeRequested -PermanentDataPurgeReason "Leaving the service" -PermanentDataPurgeContact admin@contoso.example
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', DefaultParameterSetName = 'RefreshKey')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [object] $Identity,
        [Parameter(ParameterSetName = 'RefreshKey')]
        [switch] $Refresh,
        [Parameter(ParameterSetName = 'ReplaceKey', Mandatory)]
        [switch] $Replace,
        [Parameter(ParameterSetName = 'ReplaceKey', Mandatory)]
        [string[]] $AzureKeyIDs,
        [Parameter(ParameterSetName = 'TenantAdminPurgeKeyRequest', Mandatory)]
        [switch] $PermanentDataPurgeRequested,
        [Parameter(ParameterSetName = 'TenantAdminPurgeKeyRequest', Mandatory)]
        [Parameter(ParameterSetName = 'DCAdminPurgeKeyRequest', Mandatory)]
        [string] $PermanentDataPurgeReason,
        [Parameter(ParameterSetName = 'TenantAdminPurgeKeyRequest')]
        [Parameter(ParameterSetName = 'DCAdminPurgeKeyRequest')]
        [string] $PermanentDataPurgeContact,
        [Parameter()]
        [bool] $Enabled,
        [Parameter()]
        [string] $Name,
        [Parameter()]
        [string] $Description,
        [Parameter()]
        [switch] $Force,
        [Parameter()]
        [string] $DomainController
    )
    process {
        $send = @{ Cmdlet = $PSCmdlet; Name = 'Set-DataEncryptionPolicy'; Bound = $PSBoundParameters }
        $send.Identities = @('Identity')
        $send.Changes = $true
        $send.WhatIf = $WhatIfPreference
        $send.Forced = $Force -and -not $PSBoundParameters.ContainsKey('Confirm')
        Invoke-CustomerKeyCommand @send
    }
}

function Get-Mailbox {
    <#
    .SYNOPSIS
    Show mailboxes and their policies.
    .DESCRIPTION
    DataEncryptionPolicy is the policy that the mailbox has for itself. PersistedCapabilities has BPOS_S_EquivioAnalytics where a licence includes Customer Key.
    .PARAMETER Identity
    Address of the mailbox, the part of it before the @, or its GUID; all unless given.
    .PARAMETER Filter
    "DataEncryptionPolicy -eq 'DN'", with the distinguished name of a policy, or -eq $null for those without one.
    .PARAMETER RecipientTypeDetails
    Only mailboxes of these kinds.
    .PARAMETER ResultSize
    The most to show, or Unlimited, which it is unless given.
    .PARAMETER DomainController
    Reserved; has no effect.
    .EXAMPLE
    Get-Mailbox
    .EXAMPLE
    Get-Mailbox -Identity alice
    .EXAMPLE
    Get-Mailbox -Filter "DataEncryptionPolicy -eq 'CN=USA_mailboxes,CN=Mailbox Data Encryption Policies,OU=11111111-2222-4333-8444-555555555555'"
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()]
        [object] $Identity,
        [Parameter()]
        [string] $Filter,
        [Parameter()]
        [ValidateSet('UserMailbox', 'SharedMailbox', 'RoomMailbox', 'EquipmentMailbox', 'PublicFolderMailbox', 'DiscoveryMailbox')]
        [string[]] $RecipientTypeDetails,
        [Parameter()]
        [string] $ResultSize,
        [Parameter()]
        [string] $DomainController
    )
    process {
        $send = @{ Cmdlet = $PSCmdlet; Name = 'Get-Mailbox'; Bound = $PSBoundParameters }
        $send.Identities = @('Identity')
        $send.Output = 'Mailbox'
        Invoke-CustomerKeyCommand @send
    }
}

function Set-Mailbox {
    <#
    .SYNOPSIS
    Give a mailbox an encryption policy, or take it away.
    .DESCRIPTION
    A mailbox has one policy; another one takes its place. $null takes it away: the mailbox then goes by the default of mailboxes, by the policy of the organization, or by the keys of the service, the first of these that there is. New content is under the new keys at once, what is stored follows in the background: see Get-MailboxStatistics. Giving it the same policy again looks over what is stored again.
    .PARAMETER Identity
    Address of the mailbox, the part of it before the @, or its GUID.
    .PARAMETER DataEncryptionPolicy
    Name, GUID or distinguished name of the policy; $null for none.
    .PARAMETER DomainController
    Reserved; has no effect.
    .EXAMPLE
    Set-Mailbox -Identity alice@contoso.example -DataEncryptionPolicy USA_mailboxes
    .EXAMPLE
    Set-Mailbox alice -DataEncryptionPolicy $null
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [object] $Identity,
        [Parameter(Mandatory)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()]
        [object] $DataEncryptionPolicy,
        [Parameter()]
        [string] $DomainController
    )
    process {
        $send = @{ Cmdlet = $PSCmdlet; Name = 'Set-Mailbox'; Bound = $PSBoundParameters }
        $send.Identities = @('Identity', 'DataEncryptionPolicy')
        $send.Changes = $true
        $send.WhatIf = $WhatIfPreference
        Invoke-CustomerKeyCommand @send
    }
}

Update-TypeData -TypeName 'CustomerKey.Mailbox' -DefaultDisplayPropertySet 'Name', 'RecipientTypeDetails', 'DataEncryptionPolicy', 'DisplayName' -Force

Export-ModuleMember -Function 'Connect-CustomerKey', 'Disconnect-CustomerKey', 'Set-DataEncryptionPolicy', 'Get-Mailbox', 'Set-Mailbox'
